from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation

UNSENT: int
AGAIN: int

def exchange(conversation: Conversation, fd: int, send_flags: int, buffer: ReceiveBuffer, once: bool) -> int: ...
def arm(fd: int, microseconds: int) -> None: ...
