"""Connections to the API server, Redis and Celery, and the fence that closes them when leadership is lost.

Nothing here decides what to send.
"""
