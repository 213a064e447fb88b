//! The schema, word for word: a change here is a change of the public surface. It is renewed by
//! running this test with `UPDATE_EXPECT=1`.

use expect_test::expect_file;

use djinn_gateway::graphql_schema;

#[test]
fn the_schema_is_this() {
    expect_file!["../../../schema.graphql"].assert_eq(&graphql_schema());
}

#[test]
fn everything_in_it_is_described() {
    let (mut inside, mut described) = (false, false);
    for line in graphql_schema().lines().map(str::trim) {
        let one_line = line.starts_with('"') && line.ends_with('"');
        if one_line && line != "\"\"\"" && !inside {
            described = true;
            continue;
        }
        if line == "\"\"\"" {
            inside = !inside;
            described = true;
            continue;
        }
        if inside || line.is_empty() || line.starts_with(['}', ')']) {
            continue;
        }
        // The one argument of a mutation is described by its type; the rest of a line of
        // arguments and the directives of the language are not ours.
        let ours = !line.starts_with("directive") && !line.starts_with("schema");
        let names = line.contains(": ") || line.ends_with('{') || !line.contains(' ');
        let root = ["query: ", "mutation: ", "subscription: "];
        let root = root.iter().any(|name| line.starts_with(name));
        assert!(described || root || !ours || !names, "{line}");
        described = false;
    }
}
