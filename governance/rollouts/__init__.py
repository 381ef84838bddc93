"""Rollouts that go by themselves: four gates at each step, and the way back."""
