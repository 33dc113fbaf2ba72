"""What a pool's `connection()` gives: the time for which a connection is lent. Made for one `with`."""

from mizzle.loans import BlockingLoan as Checkout

__all__ = ["Checkout"]
