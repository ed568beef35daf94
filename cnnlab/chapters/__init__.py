"""What one chapter alone needs; the file names begin with the chapter's number, as the notebooks' names do."""
