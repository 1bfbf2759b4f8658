"""The words and rules that every room shares: ids, states, outcomes, errors, tasks, options, events and ports.

Standard library only, no I/O, nothing that changes in place but the machines that hold a state.
"""
