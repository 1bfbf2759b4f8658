"""The browser of a worker: its launch, its certificates, its cookies and its keeper tab."""
