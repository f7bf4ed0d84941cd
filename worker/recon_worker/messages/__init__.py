"""What comes off the queue, and over the channel of remote control, is checked here before kombu and Celery decode it.

Both take a message for what it says that it is: one of a wrong shape raises somewhere in the loop of the main process, which
ends, puts the message back and so ends the next worker. So whatever is not a message that our operator sends is refused,
counted and set aside; what passes is built again from the fields that were checked.
"""
