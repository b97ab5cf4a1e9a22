"""What the flows that must be quick cost on this machine."""
