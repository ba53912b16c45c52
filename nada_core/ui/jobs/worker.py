"""Run everything that the app computes in one thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

__all__ = ["Worker", "close_iterator"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def close_iterator(steps: Any) -> None:
    """Close a generator of the engine, so that it frees what it holds (again is harmless)."""
    close = getattr(steps, "close", None)
    if close is not None:
        close()


class Worker:
    """Do what it is given, one thing after the other, in a thread of its own that begins with the first.

    Requests are answered in many threads, and torch keeps a team of OpenMP threads for each that ever used it. Once there are more of
    those than cores, all of them go to sleep at every barrier instead of waiting for each other, and a step of training takes a fifth
    longer, for as long as the other threads live. So everything of torch is given to this one.

    Whoever waits for it must not hold a lock that the work may want.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def run(self, work: Callable[[], Result]) -> Result:
        """Return or raise what ``work`` does. From the thread itself it is called at once."""
        if threading.current_thread() is self._thread:
            return work()
        with self._starting:
            if self._thread is None or not self._thread.is_alive():  # it does not live on in a process that was forked
                self._thread = threading.Thread(target=self._work, name="compute", daemon=True)
                self._thread.start()
        task: Future[Result] = Future()
        self._tasks.put((task, work))
        return task.result()

    def steps(self, work: Callable[[], Iterator[Item]]) -> Generator[Item, None, Any]:
        """Yield the items of the iterator that ``work`` makes, return what it returns; it is made, stepped and closed in the thread."""
        items = self.run(work)
        try:
            while True:
                try:
                    item = self.run(partial(next, items))
                except StopIteration as end:
                    return end.value
                yield item
        finally:
            self.run(partial(close_iterator, items))

    def _work(self) -> None:
        while True:
            task, work = self._tasks.get()
            try:
                task.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
                task.set_exception(error)
            del task, work  # or an idle thread would hold on to what it made
