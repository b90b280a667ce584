"""Running a program and measuring it, and the database server that the measurements use."""

import argparse
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Run:
    """What a program took: seconds of wall clock and of the processors, and its largest resident size in bytes."""

    def __init__(self, command, env=None):
        begin = time.monotonic()
        child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"failed with {child.returncode}: {' '.join(command)}")
        self.processor = usage.ru_utime + usage.ru_stime
        self.resident = usage.ru_maxrss * 1024


class Server:
    """A running server, reached through PostgreSQL's own programs."""

    def __init__(self, args):
        self.args = args

    def tool(self, name):
        return os.path.join(self.args.pg_bin, name) if self.args.pg_bin else name

    def url(self, database):
        return f"{self.args.server.rstrip('/')}/{database}"

    def sql(self, database, text):
        command = [self.tool("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def fresh(self, database):
        self.sql("postgres", f'DROP DATABASE IF EXISTS "{database}"')
        self.sql("postgres", f'CREATE DATABASE "{database}" TEMPLATE template0')

    def drop(self, database):
        self.sql("postgres", f'DROP DATABASE "{database}"')


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default="postgresql://postgres@127.0.0.1:5432",
                        help="URL of a server, without a database; databases called lifeboat_bench… are made and dropped")
    parser.add_argument("--pg-bin", default="", help="the directory of pg_dump, psql and pgbench; without it, PATH")
    parser.add_argument("--lifeboat", default=os.path.join(HERE, "../target/release/lifeboat"))
    parser.add_argument("--dir", default="/tmp", help="where archives are written")
    return parser


def mib(size):
    return f"{size / 1048576:.1f} MiB"


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def size_of(path):
    if os.path.isdir(path):
        return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path))
    return os.path.getsize(path)
