"""The entities and rules that all packages share: ids, states, outcomes, errors, tasks, options, events and ports.

Standard library only and no I/O; nothing is mutable but the state machines.
"""
