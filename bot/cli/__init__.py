"""Commands for operators. Each command imports its modules when it runs, so that `--help` stays fast."""
