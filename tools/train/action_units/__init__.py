"""Training of the Action Unit network: pictures of rendered people, samples, batches, the loop."""
