"""Chaos: the real bot as a process, killed and lied to at random; at the end its books must balance.

    make chaos                 # minutes, with a seed of its own, which is printed
    make chaos SEED=7          # the same plan once more
    make chaos MINUTES=0 STORE=postgres PROCESSES=3 REQUESTS=2000 KILLS=70 EVERY=4 FAULTS=0.02
                               # a big one: three processes on a PostgreSQL that is restarted once

`audit.py` says what must balance, `people.py` what is asked and pressed, `faults.py` what goes wrong,
`moments.py` when a process dies, and `run.py` plays it all. `mutations.py` breaks the bot on purpose, to see
that all this notices (`make mutations`).
"""
