"""What people and clocks can do with FlowForge, one function each; the faces and the workers call them."""
