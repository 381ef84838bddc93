"""The demo's past: thirty days that the product's own parts live through on a simulated clock."""
