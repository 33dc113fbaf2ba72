"""The worlds of green threads: eventlet on each of its hubs, and gevent."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from plugins.worlds import PATIENCE, Interrupted, Task, World


class Eventlet(World):
    """On the default hub, epolls."""

    name = kind = "eventlet"

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # eventlet discourages its use, at import
            import eventlet  # noqa: PLC0415 - for those only who run in this world
            import eventlet.event  # noqa: PLC0415
        self._eventlet = eventlet

    def event(self) -> Any:
        return _GreenEvent(self._eventlet)

    def sleep(self, seconds: float) -> None:
        self._eventlet.sleep(seconds)

    def _start(self, task: Task) -> None:
        green = self._eventlet.spawn(task.run)
        task.interrupt = lambda: green.kill(Interrupted())


class _GreenEvent:
    def __init__(self, eventlet: Any) -> None:
        self._eventlet = eventlet
        self._event = eventlet.event.Event()

    def set(self) -> None:
        if not self._event.ready():
            self._event.send()

    def wait(self) -> None:
        with self._eventlet.Timeout(PATIENCE):
            self._event.wait()


class EventletHub(Eventlet):
    """On another hub, which is there while it is this world's turn: a thread has one at a time."""

    hub: str

    def __init__(self) -> None:
        super().__init__()
        self._hubs: dict[str, Any] = {}  # what eventlet keeps of a thread's hub
        self._others: dict[str, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # the running one, where the hub is asyncio's

    def enter(self) -> None:
        here = self._eventlet.hubs._threadlocal.__dict__
        self._others = dict(here)
        if self._hubs:
            here.update(self._hubs)
        else:
            self._eventlet.hubs.use_hub(self.hub)
            self._eventlet.hubs.get_hub()
        asyncio._set_running_loop(self._loop)

    def leave(self) -> None:
        """The hub stands still meanwhile. To end it would drop the timers of what goes on in the background."""
        self._loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        here = self._eventlet.hubs._threadlocal.__dict__
        self._hubs = dict(here)
        here.clear()
        here.update(self._others)

    def close(self) -> None:
        self.enter()
        hub = self._eventlet.hubs.get_hub()
        if hub.running:
            hub.abort(wait=True)
        self.leave()
        if hasattr(hub, "loop"):
            hub.loop.close()


class EventletPoll(EventletHub):
    name = "eventlet-poll"
    hub = "poll"


class EventletSelects(EventletHub):
    name = "eventlet-selects"
    hub = "selects"


class EventletAsyncio(EventletHub):
    name = "eventlet-asyncio"
    hub = "asyncio"


class Gevent(World):
    name = kind = "gevent"

    def __init__(self) -> None:
        import gevent  # noqa: PLC0415 - for those only who run in this world
        import gevent.event  # noqa: PLC0415

        self._gevent = gevent
        gevent.get_hub().threadpool.apply(int)  # it stays, for names

    def event(self) -> Any:
        return _HubEvent(self._gevent)

    def sleep(self, seconds: float) -> None:
        self._gevent.sleep(seconds)

    def _start(self, task: Task) -> None:
        green = self._gevent.spawn(task.run)
        task.interrupt = lambda: green.kill(Interrupted(), block=False)


class _HubEvent:
    def __init__(self, gevent: Any) -> None:
        self._event = gevent.event.Event()
        self.set = self._event.set

    def wait(self) -> None:
        assert self._event.wait(PATIENCE), "nothing happened"
