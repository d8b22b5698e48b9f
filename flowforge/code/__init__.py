"""Code that people write in their workflows: run where it reaches nothing, within limits that hold whatever it does."""
