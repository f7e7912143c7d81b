"""Where jobs run: here, or in processes beside this one.

A job is a top-level function and some items; it writes its own part and returns a receipt.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from splitaudit.engine.memory import keep_freed
from splitaudit.errors import SplitauditError

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
JOBS_PER_PROCESS = 2  # jobs handed out per process: one at work, one waiting


@dataclass(frozen=True)
class Job:
    """Work on some items: `fn(items, folder)`, which returns how many items it did.

    Parameters
    ----------
    fn
        A function at the top level of a module, so that another process can import it.
    items
        Small, and picklable.
    folder
        Where it writes its part.
    lost
        Called with one item in place of `fn` where a process died of that item, as decoders do
        of hostile files.
    """

    fn: Callable[[Sequence[Any], Path], int]
    items: Sequence[Any]
    folder: Path
    lost: Callable[[Sequence[Any], Path], int]


def run(jobs: Sequence[Job], processes: int) -> Iterator[int]:
    """Do `jobs`, yielding each one's receipt as it ends, in any order.

    Parameters
    ----------
    processes
        1: here, one after the other.
    """
    if processes <= 1 or len(jobs) <= 1:
        keep_freed()
        with threadpool_limits(1, user_api="blas"):  # of small matrices: more would only wait
            yield from (job.fn(job.items, job.folder) for job in jobs)
        return
    suspects = yield from _run_pool(jobs, processes)
    yield from map(_run_isolated, suspects)


def run_isolated(jobs: Sequence[Job]) -> None:
    """Do each job in a process of its own, which may die of it."""
    for job in jobs:
        _run_isolated(job)


def _run_pool(jobs: Sequence[Job], processes: int) -> Generator[int, None, list[Job]]:
    """Do jobs in a pool; where it breaks, start another. Return those that were under way."""
    left, suspects = list(reversed(jobs)), list[Job]()
    while left:
        under_way: dict[Future[int], Job] = {}
        with _pool(processes) as pool:
            try:
                while left or under_way:
                    while left and len(under_way) < processes * JOBS_PER_PROCESS:
                        job = left[-1]  # still left, should the pool be found broken here
                        under_way[pool.submit(job.fn, job.items, job.folder)] = job
                        left.pop()
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        receipt = future.result()
                        del under_way[future]
                        yield receipt
            except BrokenProcessPool:
                suspects += under_way.values()
    return suspects


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that have been seen to start: one that cannot must not be blamed on an item."""
    # spawn: a fork would copy locks that threads of this process hold (progress, Arrow)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_init_worker) as pool:
        try:
            with _one_thread_each():
                # All at once: one that is started while another dies is waited for without end.
                for started in [pool.submit(os.getpid) for _ in range(processes)]:
                    started.result()
        except BrokenProcessPool:
            raise SplitauditError(
                "no process can be started beside this one: in a script, put the call below "
                '`if __name__ == "__main__":`; or use one process (`processes=1`, `--jobs 1`)'
            ) from None
        yield pool


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started now use one thread for algebra, where nobody said otherwise.

    They share the cores already: more threads wait for each other, and cost a fifth of the time.
    """
    added = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _init_worker() -> None:
    keep_freed()
    _end_with_parent()


def _end_with_parent() -> None:
    """See to it that this process ends where the one that started it was killed."""
    parent = multiprocessing.parent_process()

    def wait_and_end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()


def _run_isolated(job: Job) -> int:
    """Do one job in a process of its own; where it dies, find the item it dies of."""
    with _pool(1) as pool:
        try:
            return pool.submit(job.fn, job.items, job.folder).result()
        except BrokenProcessPool:
            pass
    if len(job.items) == 1:
        return job.lost(job.items, job.folder)
    return sum(_run_isolated(replace(job, items=[item])) for item in job.items)
