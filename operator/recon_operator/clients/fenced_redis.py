"""Connections to Redis that send nothing once this operator does not lead."""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from recon_operator.clients.fence import Fence, NotLeadingError


def fence_in(client: Redis, fence: Fence) -> None:
    """Have all connections that `client` makes from now on ask the fence before each command, reads included.

    Where a command first waits for a connection, the fence is asked after that. What it refuses raises RedisError.
    """
    connection_class: Any = client.connection_pool.connection_class

    class Fenced(connection_class):  # type: ignore[misc]  # TCP, TLS or a socket file, by the URL
        async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002
            if not self.is_connected:
                await self.connect_check_health(check_health=False)
            if check_health:
                await self.check_health()
            try:
                fence.check()
            except NotLeadingError as error:
                raise RedisConnectionError(str(error)) from error
            await super().send_packed_command(command, check_health=False)

    client.connection_pool.connection_class = Fenced
