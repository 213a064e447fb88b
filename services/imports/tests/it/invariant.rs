//! What must be true of a user's imports and ledger at every moment, whatever is under way: looked
//! at in one statement, so in one snapshot.

use djinn_chassis::auth::UserId;

use crate::world::World;

/// One row for each thing that is not as it must be. Holds as long as nobody forces duplicates in.
const VIOLATIONS: &str = r#"
WITH staged AS (
    SELECT i.import_id, i.status, s.generation = i.generation AS current, s.row_number,
           s.transaction_id, s.account_id, s.amount_minor, s.fingerprint,
           imports.row_action(s.action, v.verdict, v.linkable) = 'add' AS included,
           imports.row_action(s.action, v.verdict, v.linkable) = 'link' AS linked,
           v.transaction_id AS target_id, coalesce(v.occurrence, 1) AS occurrence,
           t.transaction_id IS NOT NULL AS live, b.cause, b.subject_id IS NOT NULL AS gone,
           t.reconciled_at IS NOT NULL OR EXISTS (
               SELECT FROM ledger.field_lock l WHERE l.transaction_id = s.transaction_id
           ) AS edited
    FROM imports.import i
    JOIN imports.staged s ON s.import_id = i.import_id
    LEFT JOIN imports.verdict v
      ON v.import_id = s.import_id AND v.generation = s.generation
     AND v.row_number = s.row_number
    LEFT JOIN ledger.transaction t ON t.transaction_id = s.transaction_id
    LEFT JOIN ledger.tombstone b
      ON b.kind = 'transaction' AND b.subject_id = s.transaction_id
),
effective AS (
    SELECT * FROM staged WHERE current AND status IN ('committed', 'reverting', 'reverted')
),
-- What an import says of each of its accounts, against the rows that go there.
shared AS (
    SELECT a.import_id, a.account_id, a.included_count, a.included_minor, a.row_count,
           count(e.row_number) AS rows,
           count(e.row_number) FILTER (WHERE e.included) AS included,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.included), 0) AS minor
    FROM imports.import i
    JOIN imports.import_account a
      ON a.import_id = i.import_id AND a.generation = i.generation
    LEFT JOIN effective e ON e.import_id = a.import_id AND e.account_id = a.account_id
    WHERE i.status IN ('committed', 'reverting', 'reverted')
    GROUP BY a.user_id, a.import_id, a.generation, a.account_id
),
counted AS (
    SELECT i.import_id, i.status, i.included_count, i.included_minor, i.row_count,
           i.removed_count, i.kept_count, i.linked_count,
           count(e.row_number) FILTER (WHERE e.included) AS included,
           coalesce(sum(e.amount_minor) FILTER (
               WHERE e.included AND e.account_id = i.account_id
           ), 0) AS minor,
           count(*) FILTER (WHERE e.linked) AS linked,
           count(*) FILTER (WHERE e.cause = 'revert') AS removed,
           count(*) FILTER (WHERE e.live) AS live,
           count(e.row_number) + (
               SELECT count(*) FROM imports.rejected_row r
               WHERE r.import_id = i.import_id AND r.generation = i.generation
           ) AS rows
    FROM imports.import i LEFT JOIN effective e USING (import_id)
    WHERE i.status IN ('committed', 'reverting', 'reverted')
    GROUP BY i.user_id, i.import_id, i.generation
),
holders AS (
    SELECT account_id, fingerprint, occurrence FROM ledger.transaction
    WHERE fingerprint IS NOT NULL
    UNION ALL
    SELECT account_id, fingerprint, occurrence FROM ledger.tombstone
    WHERE fingerprint IS NOT NULL AND cause = 'user' AND restored_by IS NULL
),
known AS (
    SELECT account_id, fingerprint, max(count) AS count FROM (
        SELECT import_id, account_id, fingerprint, count(*) AS count FROM staged
        WHERE current GROUP BY import_id, account_id, fingerprint
    ) of_a_file GROUP BY account_id, fingerprint
),
written AS (
    SELECT change_id FROM ledger.account UNION ALL SELECT change_id FROM ledger.transaction
    UNION ALL SELECT change_id FROM ledger.tombstone
    UNION ALL SELECT change_id FROM ledger.field_lock
    UNION ALL SELECT change_id FROM ledger.provenance
    UNION ALL SELECT change_id FROM ledger.edit
)
SELECT 'an import without effect has a row in the ledger: ' || import_id FROM staged
WHERE (NOT current OR status NOT IN ('committed', 'reverting', 'reverted')) AND (live OR gone)
UNION ALL
SELECT 'an excluded row is in the ledger: ' || import_id || ' row ' || row_number FROM effective
WHERE NOT included AND (live OR gone)
UNION ALL
SELECT 'an included row is lost: ' || import_id || ' row ' || row_number FROM effective
WHERE included AND NOT live AND NOT gone
UNION ALL
SELECT 'a row is there and deleted: ' || import_id || ' row ' || row_number FROM effective
WHERE live AND gone
UNION ALL
SELECT 'removed without being undone: ' || import_id || ' row ' || row_number FROM effective
WHERE status <> 'reverted' AND cause = 'revert'
UNION ALL
SELECT 'undone and still there: ' || import_id || ' row ' || row_number FROM effective
WHERE status = 'reverted' AND live AND NOT edited
UNION ALL
SELECT 'counts differ from the rows: ' || counted::text FROM counted
WHERE included <> included_count OR linked <> linked_count OR minor <> included_minor
   OR rows <> row_count
   OR removed <> removed_count OR live > CASE status WHEN 'reverted' THEN kept_count ELSE live END
UNION ALL
SELECT 'counts of an account differ from its rows: ' || shared::text FROM shared
WHERE included <> included_count OR minor <> included_minor OR rows <> row_count
UNION ALL
SELECT 'a row of no account of its import: ' || import_id || ' row ' || row_number
FROM effective e WHERE NOT EXISTS (
    SELECT FROM shared s WHERE s.import_id = e.import_id AND s.account_id = e.account_id
)
UNION ALL
SELECT 'a row of no import: ' || transaction_id FROM ledger.transaction t
WHERE import_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM effective e WHERE e.transaction_id = t.transaction_id)
UNION ALL
SELECT 'linked by an import without effect: ' || transaction_id FROM ledger.transaction t
WHERE linked_import_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM effective e WHERE e.import_id = t.linked_import_id
      AND e.status IN ('committed', 'reverting') AND e.linked
      AND e.target_id = t.transaction_id AND e.account_id = t.account_id
      AND e.fingerprint = t.fingerprint AND e.occurrence = t.occurrence
)
UNION ALL
SELECT 'entered by hand, told of by no statement: ' || transaction_id FROM ledger.transaction
WHERE source = 'user' AND (linked_import_id IS NULL) <> (fingerprint IS NULL)
UNION ALL
SELECT 'filled by an import that is not linked: ' || p.transaction_id || ' ' || p.field
FROM ledger.provenance p JOIN ledger.transaction t USING (user_id, transaction_id)
WHERE p.source = 'provider' AND t.reconciled_at IS NULL
  AND p.reference IS DISTINCT FROM t.linked_import_id::text
UNION ALL
SELECT 'a linked row is lost: ' || import_id || ' row ' || row_number FROM effective e
WHERE linked AND status = 'committed'
  AND NOT EXISTS (
      SELECT FROM ledger.transaction t
      WHERE t.transaction_id = e.target_id
        AND (t.linked_import_id = e.import_id OR t.reconciled_at IS NOT NULL)
  )
  AND NOT EXISTS (
      SELECT FROM ledger.tombstone b WHERE b.subject_id = e.target_id AND b.cause = 'user'
  )
UNION ALL
SELECT 'two are the same occurrence: ' || encode(fingerprint, 'hex') || ' ' || occurrence
FROM holders GROUP BY account_id, fingerprint, occurrence HAVING count(*) > 1
UNION ALL
SELECT 'more than any file holds: ' || encode(h.fingerprint, 'hex') || ' ' || count(*)
FROM holders h LEFT JOIN known k USING (account_id, fingerprint)
GROUP BY h.account_id, h.fingerprint, k.count HAVING count(*) > coalesce(k.count, 0)
UNION ALL
SELECT 'written without a change: ' || change_id FROM written
WHERE NOT EXISTS (SELECT FROM ledger.change c WHERE c.change_id = written.change_id)
UNION ALL
SELECT 'versions have a gap: ' || count(*) || ' of ' || max(version) FROM ledger.change
HAVING count(*) <> max(version)
    OR max(version) <> (SELECT version FROM ledger.counter)
"#;

/// What is wrong with everything that this user has, in words; nothing if all is well.
pub(crate) async fn violations(world: &World, user: UserId) -> Vec<String> {
    let mut transaction = world.as_imports(user).await;
    // The statistics know nothing yet of rows that were written a moment ago: planned for a handful
    // of them, in nested loops, this takes minutes for some ten thousand.
    sqlx::query("SET LOCAL enable_nestloop = off")
        .execute(&mut *transaction)
        .await
        .unwrap();
    sqlx::query_scalar(VIOLATIONS)
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
}
