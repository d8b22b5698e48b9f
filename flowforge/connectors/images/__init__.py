"""What the step IMAGE can do to an image: the forms. `programs/image_program.py` does it."""
