"""FlowForge's core: what the web application and the workers share."""
