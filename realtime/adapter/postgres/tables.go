package postgres

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Schema returns the SQL that makes the tables which a cluster with these options
// needs and does not have, for those who make tables in migrations. It panics when
// an option cannot work.
func Schema(o Options) string {
	o = o.withDefaults()
	s := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s (
	id bigserial UNIQUE,
	created_at timestamptz DEFAULT now(),
	payload bytea
);
`, o.TableName)
	if !o.Recovery {
		return s
	}
	return s + fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %[1]s (
	id bigserial PRIMARY KEY,
	space text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	node text,
	seq bigint,
	message bytea NOT NULL,
	UNIQUE (node, seq)
);
CREATE INDEX IF NOT EXISTS %[3]s_space ON %[1]s (space, id);
CREATE INDEX IF NOT EXISTS %[3]s_age ON %[1]s (created_at);
CREATE TABLE IF NOT EXISTS %[1]s_trimmed (
	space text PRIMARY KEY,
	id bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS %[2]s (
	cluster text NOT NULL,
	key text NOT NULL,
	value bytea,
	term bigint NOT NULL DEFAULT 0,
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (cluster, key)
);
CREATE INDEX IF NOT EXISTS %[4]s_age ON %[2]s (expires_at);
`, o.LogTable, o.SessionTable, bare(o.LogTable), bare(o.SessionTable))
}

// bare returns a table's name without the schema.
func bare(table string) string { return table[strings.IndexByte(table, '.')+1:] }

// lockKey is the key of an advisory lock that is about a table.
func lockKey(what, table string) int64 {
	h := fnv.New64a()
	h.Write([]byte("socket.io " + what + " " + table))
	return int64(h.Sum64())
}

// makeTables makes the tables that are missing.
func makeTables(ctx context.Context, conn *pgx.Conn, o Options) error {
	tables := []string{o.TableName}
	if o.Recovery {
		tables = append(tables, o.LogTable, o.LogTable+"_trimmed", o.SessionTable)
	}
	var missing bool
	const query = `SELECT bool_or(to_regclass(name) IS NULL) FROM unnest($1::text[]) AS name`
	if err := conn.QueryRow(ctx, query, tables).Scan(&missing); err != nil || !missing {
		return err
	}
	// Of nodes that start at once, one makes them.
	script := fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d); %s COMMIT;", lockKey("tables", o.TableName), Schema(o))
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		return fmt.Errorf("making the tables %s, which the function Schema defines: %w", strings.Join(tables, ", "), err)
	}
	return nil
}
