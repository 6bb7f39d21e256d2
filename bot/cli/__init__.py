"""Commands for operators. Each loads its modules only when it runs, so that `--help` stays fast."""
