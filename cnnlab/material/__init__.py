"""What is looked at: photographs, paintings, digits, and crops of the photographs."""
