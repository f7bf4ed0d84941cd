"""What happens to finished jobs: their label, their time to live, their outputs."""
