"""One small file a work. `run` is the work in blocking calls, `run_async` the same in asyncio, where it has one."""
