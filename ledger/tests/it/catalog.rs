//! The catalog as the rules want it: what a migration forgets, this finds.

use sqlx::{AssertSqlSafe, Row};

use crate::fixture::{Fixture, ROLES};

/// The only tables with a user and without row-level security; their migrations give the reasons.
const UNPROTECTED: [&str; 2] = ["imports.due", "imports.staged_row"];

/// Tables without a user: sqlx's own.
const WITHOUT_USER: [&str; 3] = [
    "imports._sqlx_migrations",
    "ledger._sqlx_migrations",
    "sync._sqlx_migrations",
];

/// Every table of ours with its user column, which is NULL where there is none.
const OURS: &str = "WITH ours AS ( \
    SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relrowsecurity, \
           c.relforcerowsecurity, a.attnum AS user_column, a.attnotnull \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' \
    WHERE n.nspname IN ('ledger', 'imports', 'sync') AND c.relkind IN ('r', 'p') \
    )";

/// The names that a query over [`OURS`] gives, in order. The catalog is open to every role.
async fn names(query: &str) -> Vec<String> {
    let fixture = Fixture::new().await;
    let mut session = fixture.sync.unscoped().await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(format!("{OURS} {query}")))
        .fetch_all(&mut *session)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_table_of_user_data_forces_row_level_security() {
    let unprotected = names(
        "SELECT name FROM ours WHERE user_column IS NOT NULL \
         AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY name",
    );
    assert_eq!(unprotected.await, UNPROTECTED);
    let protected = names("SELECT name FROM ours WHERE relforcerowsecurity").await;
    assert!(protected.len() >= 15, "{protected:?}");
}

#[tokio::test]
async fn every_other_table_is_named() {
    let found = names("SELECT name FROM ours WHERE user_column IS NULL ORDER BY name");
    assert_eq!(found.await, WITHOUT_USER);
}

#[tokio::test]
async fn every_policy_binds_everybody_for_everything() {
    let found = names(
        "SELECT name FROM ours WHERE relrowsecurity AND (SELECT count(*) FROM pg_policy p \
         WHERE p.polrelid = ours.oid) <> 1 ORDER BY name",
    );
    assert_eq!(found.await, [""; 0], "tables with no policy or several");
    // Several permissive policies would be joined by OR, so there is one, for all and for PUBLIC.
    let found = names(
        "SELECT name FROM ours JOIN pg_policy p ON p.polrelid = ours.oid \
         WHERE p.polcmd <> '*' OR NOT p.polpermissive OR p.polroles <> '{0}' \
            OR pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM \
               pg_get_expr(p.polwithcheck, p.polrelid) \
            OR pg_get_expr(p.polqual, p.polrelid) NOT LIKE '(user_id = ( SELECT %' \
         ORDER BY name",
    );
    assert_eq!(found.await, [""; 0], "policies that differ");
}

#[tokio::test]
async fn every_key_begins_with_the_user() {
    let found = names(
        "SELECT name FROM ours WHERE user_column IS NOT NULL AND NOT EXISTS ( \
         SELECT FROM pg_constraint k WHERE k.conrelid = ours.oid AND k.contype = 'p' \
         AND k.conkey[1] = user_column) ORDER BY name",
    );
    assert_eq!(found.await, [""; 0], "primary keys");
    let found = names(
        "SELECT name FROM ours JOIN pg_index i ON i.indrelid = ours.oid \
         WHERE user_column IS NOT NULL AND i.indisunique AND i.indkey[0] <> user_column \
         ORDER BY name",
    );
    assert_eq!(found.await, [""; 0], "unique indexes");
    let found = names("SELECT name FROM ours WHERE user_column IS NOT NULL AND NOT attnotnull");
    assert_eq!(found.await, [""; 0], "users that may be NULL");
}

/// The checks behind foreign keys bypass row-level security: without the user in the key they would
/// accept, and by their error tell of, rows of another user.
#[tokio::test]
async fn every_foreign_key_carries_the_user() {
    let all = names(
        "SELECT name || ' ' || k.conname FROM ours \
         JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype = 'f'",
    );
    assert!(all.await.len() >= 6);
    let found = names(
        "SELECT name || ' ' || k.conname FROM ours \
         JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype = 'f' \
         WHERE NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (own, theirs) \
         JOIN pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = pair.theirs \
         WHERE pair.own = user_column AND t.attname = 'user_id') ORDER BY 1",
    );
    assert_eq!(found.await, [""; 0]);
}

#[tokio::test]
async fn no_grant_lets_a_key_change() {
    for role in ROLES {
        let query = format!(
            "SELECT DISTINCT name || '.' || a.attname FROM ours \
             JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 \
             LEFT JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype = 'p' \
             WHERE (a.attname = 'user_id' OR a.attnum = ANY (k.conkey)) \
               AND NOT a.attisdropped \
               AND has_column_privilege('{role}', ours.oid, a.attnum, 'UPDATE') \
             ORDER BY 1"
        );
        assert_eq!(names(&query).await, [""; 0], "{role}");
    }
}

/// What the offline pull reads, it reads in the order (user, change, id).
#[tokio::test]
async fn pulled_tables_have_the_pulls_index() {
    let found = names(
        "SELECT DISTINCT name FROM ours JOIN pg_index i ON i.indrelid = ours.oid \
         JOIN pg_attribute c ON c.attrelid = ours.oid AND c.attname = 'change_id' \
         WHERE i.indkey[0] = user_column AND i.indkey[1] = c.attnum AND i.indnkeyatts >= 3 \
         ORDER BY name",
    );
    assert_eq!(
        found.await,
        [
            "ledger.account",
            "ledger.field_lock",
            "ledger.provenance",
            "ledger.tombstone",
            "ledger.transaction"
        ]
    );
}

#[tokio::test]
async fn definer_functions_fix_their_search_path_and_are_not_for_all() {
    let found = names(
        "SELECT n.nspname || '.' || p.proname FROM pg_proc p \
         JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE n.nspname IN ('ledger', 'imports', 'sync', 'public') AND p.prosecdef \
         AND (p.proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig) \
              OR has_function_privilege('public', p.oid, 'EXECUTE'))",
    );
    assert_eq!(found.await, [""; 0]);
}
