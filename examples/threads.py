"""mizzle in an ordinary program: a connection, a transaction, rows.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/threads.py
"""

import os

import mizzle


def main() -> None:
    with mizzle.connect(url=os.environ["MIZZLE_URL"], autocommit=True, timeout=5) as conn:
        conn.execute(
            "CREATE TEMPORARY TABLE plants (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), height DECIMAL(5,2))"
        )

        with conn.transaction(), conn.cursor() as cur:  # committed at its end, rolled back on an exception
            cur.executemany(
                "INSERT INTO plants (name, height) VALUES (%s, %s)",
                [("fern", "0.60"), ("birch", "14.50"), ("moss", "0.02")],
            )

        with conn.cursor() as cur:
            cur.execute("SELECT name, height FROM plants WHERE height < %s ORDER BY name", [1])
            for name, height in cur:
                print(f"{name}: {height} m")


if __name__ == "__main__":
    main()
