"""The checks of the chapters' exercises, a module for each subject; `cnnlab.checks` has what they are made of."""
