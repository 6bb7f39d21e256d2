"""The worker: takes every due task one step further: submit, poll, deliver."""
