"""What the providers' adapters share: HTTP calls, reading of answers, downloads, signatures."""
