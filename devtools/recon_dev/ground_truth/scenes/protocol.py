"""The evaluation protocol of a photo set, where it has one of its own."""

from pathlib import Path

from pydantic import TypeAdapter

from recon_dev.ground_truth.surface_distance import STANDARD_PROTOCOL, SurfaceProtocol

PROTOCOL_FILE = "protocol.json"

_PROTOCOL = TypeAdapter(SurfaceProtocol)


def save_protocol(protocol: SurfaceProtocol, folder: Path) -> None:
    """Write the protocol beside the photos; nothing where it is the standard one."""
    if protocol != STANDARD_PROTOCOL:
        (folder / PROTOCOL_FILE).write_bytes(_PROTOCOL.dump_json(protocol, indent=1))


def load_protocol(folder: Path) -> SurfaceProtocol:
    """Return the photo set's own protocol, or the standard one; raises ValueError where the file holds none."""
    file = folder / PROTOCOL_FILE
    return _PROTOCOL.validate_json(file.read_bytes()) if file.exists() else STANDARD_PROTOCOL
