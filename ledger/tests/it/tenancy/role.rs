//! The roles that services connect as: they own nothing, bypass nothing, and see no other service.

use crate::fixture::{Fixture, ROLES, count};

#[tokio::test]
async fn a_services_role_bypasses_nothing_and_owns_nothing() {
    let fixture = Fixture::new().await;
    for role in ROLES {
        let mut session = fixture.pool(role).unscoped().await.unwrap();
        for (what, expected, sql) in [
            (
                "it is what it says",
                1,
                "SELECT count(*) FROM pg_roles WHERE rolname = current_user \
                 AND rolname LIKE 'djinn\\_%' AND NOT rolsuper AND NOT rolbypassrls \
                 AND NOT rolcreatedb AND NOT rolcreaterole AND NOT rolreplication",
            ),
            (
                "it is a member of no role",
                0,
                "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member \
                 WHERE r.rolname = current_user",
            ),
            (
                "it owns nothing",
                0,
                "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
                 WHERE r.rolname = current_user AND d.refclassid = 'pg_authid'::regclass \
                 AND d.deptype = 'o'",
            ),
            (
                "it creates nothing in any schema",
                0,
                "SELECT count(*) FROM pg_namespace \
                 WHERE nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(oid, 'CREATE')",
            ),
            (
                "it may not empty, refer to, or put triggers on a table",
                0,
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname IN ('ledger', 'imports', 'sync') AND c.relkind IN ('r', 'v', 'p') \
                 AND has_table_privilege(c.oid, 'TRUNCATE, REFERENCES, TRIGGER')",
            ),
        ] {
            let found = count(&mut session, sql).await.unwrap();
            assert_eq!(found, expected, "{role}: {what}");
        }
    }
}

#[tokio::test]
async fn a_service_has_no_way_into_anothers_schema() {
    let fixture = Fixture::new().await;
    for (role, foreign) in [("djinn_imports", "sync"), ("djinn_sync", "imports")] {
        let mut session = fixture.pool(role).unscoped().await.unwrap();
        let sql = format!(
            "SELECT count(*) FROM pg_namespace WHERE nspname = '{foreign}' \
             AND has_schema_privilege(oid, 'USAGE')"
        );
        assert_eq!(count(&mut session, sql).await.unwrap(), 0, "{role}");
        let sql = format!(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = '{foreign}' AND c.relkind IN ('r', 'v') \
             AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') \
                  OR has_table_privilege(c.oid, 'DELETE'))"
        );
        assert_eq!(count(&mut session, sql).await.unwrap(), 0, "{role}");
    }
}

/// The grants are the cut between the services: who may write what of the shared record.
#[tokio::test]
async fn each_service_writes_its_part_of_the_ledger() {
    let fixture = Fixture::new().await;
    for (role, expected) in [
        (
            "djinn_imports",
            "account U(version), change I, counter IU(version), edit I, field_lock I, \
             provenance IU(change_id confidence reference source written_at)D, \
             tombstone IU(change_id restored_by), \
             transaction IU(change_id counterparty description external_id fingerprint \
             linked_import_id occurrence updated_at value_on)D",
        ),
        (
            "djinn_sync",
            "account IU(change_id closed_at kind name number opening_minor time_zone updated_at \
             version), change I, counter IU(version), edit I, field_lock IU(change_id locked_at)D, \
             provenance IU(change_id confidence reference source written_at)D, tombstone I, \
             transaction IU(amount_minor booked_on change_id counterparty description note \
             reconciled_at updated_at value_on)D",
        ),
    ] {
        let mut session = fixture.pool(role).unscoped().await.unwrap();
        let written: String = sqlx::query_scalar(
            "SELECT string_agg(entry, ', ' ORDER BY entry) FROM ( \
             SELECT c.relname || ' ' \
               || CASE WHEN has_any_column_privilege(c.oid, 'INSERT') THEN 'I' ELSE '' END \
               || coalesce('U(' || string_agg(a.attname, ' ' ORDER BY a.attname) \
                    FILTER (WHERE has_column_privilege(c.oid, a.attnum, 'UPDATE')) || ')', '') \
               || CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'D' ELSE '' END AS entry \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE n.nspname = 'ledger' AND c.relkind = 'r' GROUP BY c.oid, c.relname \
             ) entries WHERE entry NOT LIKE '% '",
        )
        .fetch_one(&mut *session)
        .await
        .unwrap();
        assert_eq!(written, expected, "{role}");
    }
}
