"""A made-up procurement portal that runs as a separate process, for ``poolwright demo`` and for the tests.

It imports no other part of the package except ``interpreter``. Its modules, bottom up:

* ``documents``: small valid files of an exact size.
* ``catalogue``: the orders, their files, and the expected results; ``seeded_random``: values derived from a seed.
* ``auth``, ``faults``, ``stats``: the state of a running portal; ``site`` holds one of each.
* ``pages``, ``order_page``, ``assets``: what browsers receive; ``responses``: how it is sent.
* ``request_filters``: login check and faults in front of a route; ``routes_user``, ``routes_orders``, ``routes_admin``.
* ``server``: the ASGI application and its process; ``portal_client``: starts this process and calls its admin API.
"""
