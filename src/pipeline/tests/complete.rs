//! The declarations beside the vendors' own tables: every operation, parameter and field, both ways.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::pipeline::{
    declared::Entry,
    record::{Kind, Member, Place, Presence, Rule},
};

/// Lines that differ on purpose, and why: `-` is the vendor's, `+` is ours, `*` is any text.
const ON_PURPOSE: &[(&str, &str)] = &[
    ("- ReportTask* > query TaskToken: string, required", IN_BODY),
    ("+ ReportTask* > body TaskToken: string, required", IN_BODY),
    (
        "- CreateSchedule > query SignatureVersion: string",
        "a stray: it is the common parameter of every call",
    ),
    (
        "- *MapRun > query RequestId: string",
        "a stray of older APIs",
    ),
    ("- ListFlowVersions > query Limit: string", DECIMAL),
    ("+ ListFlowVersions > query Limit: int", DECIMAL),
    (
        "- ListFlowAliases < Aliases[].RoutingConfigurations[].Weight: string",
        BOTH_READ,
    ),
    (
        "+ ListFlowAliases < Aliases[].RoutingConfigurations[].Weight: int",
        BOTH_READ,
    ),
    ("- UpdateSchedule > body Enable: bool", ALWAYS_SENT),
    (
        "+ UpdateSchedule > body Enable: bool, required",
        ALWAYS_SENT,
    ),
    ("+ List*[].RequestId: string", ONE_STRUCT),
    ("+ *FlowAlias < Alias.RequestId: string", ONE_STRUCT),
    ("+ *FlowAlias < Alias.FlowName: string", ONE_STRUCT),
    ("+ ListFlowAliases < Aliases[].FlowName: string", ONE_STRUCT),
    (
        "+ ListFlowVersions < FlowVersions[].FlowName: string",
        ONE_STRUCT,
    ),
    ("+ CreateFlow < ExternalStorageLocation: string", ONE_STRUCT),
    (
        "+ DescribeFlow < ExternalStorageLocation: string",
        ONE_STRUCT,
    ),
    (
        "+ ListFlows < Flows[].ExternalStorageLocation: string",
        ONE_STRUCT,
    ),
    ("+ UpdateFlow < ExecutionMode: string", ONE_STRUCT),
    ("+ *Environment.Variables[].Description: string", ONE_STRUCT),
    ("+ StartExecution < Environment*", ONE_STRUCT),
    ("+ StopExecution < Environment*", ONE_STRUCT),
    ("+ DescribeExecution < RoleArn: string", ONE_STRUCT),
    (
        "+ ListExecutions < Executions[].RoleArn: string",
        ONE_STRUCT,
    ),
    ("+ StartExecution < RoleArn: string", ONE_STRUCT),
    (
        "- StartWorkflowExecution > header X-WorkflowRun-MergeFnParameters: string",
        FLAG,
    ),
    (
        "+ StartWorkflowExecution > header X-WorkflowRun-MergeFnParameters: bool",
        FLAG,
    ),
    ("- Show*Metric > query period: string", DECIMAL),
    ("+ Show*Metric > query period: int", DECIMAL),
    ("- * states[].duration: int", SECONDS),
    ("- *.states[].duration: int", SECONDS),
    ("+ * states[].duration: number", SECONDS),
    ("+ *.states[].duration: number", SECONDS),
    (
        "- ShowWorkflowExecution < node_execution_details[].executions[].error_message: json",
        WORDS,
    ),
    (
        "+ ShowWorkflowExecution < node_execution_details[].executions[].error_message: string",
        WORDS,
    ),
];

const IN_BODY: &str = "writes stand wholly in the form body, where no proxy logs them";
const DECIMAL: &str = "the text of a number, which is what is sent of a number";
const BOTH_READ: &str = "a number elsewhere; both are read";
const ALWAYS_SENT: &str = "what its absence means is not documented";
const ONE_STRUCT: &str = "one struct shows the same thing everywhere; here the field is absent";
const SECONDS: &str = "0.001 is its documented minimum, so it has a fraction";
const WORDS: &str = "whatever it is, it is kept as text, and without what it repeats of secrets";
const FLAG: &str = "true or false, as a text";

/// One line a fact of the vendor's table.
fn theirs(table: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for operation in table["operations"].as_array().unwrap() {
        let name = operation["operation"].as_str().unwrap();
        let [method, path] = ["method", "path"].map(|key| operation[key].as_str().unwrap());
        lines.insert(format!("{name} {method} {path}"));
        for parameter in operation["parameters"].as_array().unwrap() {
            let place = parameter["in"].as_str().unwrap();
            let kind = parameter["type"].as_str().unwrap();
            // A whole body is its members.
            match table["models"].get(kind) {
                Some(members) if place == "body" => {
                    for member in members.as_array().unwrap() {
                        their_field(table, &format!("{name} > body "), member, "", &mut lines);
                    }
                }
                _ => their_field(
                    table,
                    &format!("{name} > {place} "),
                    parameter,
                    "",
                    &mut lines,
                ),
            }
        }
        for field in operation["response"].as_array().unwrap() {
            their_field(table, &format!("{name} < "), field, "", &mut lines);
        }
    }
    lines
}

fn their_field(
    table: &Value,
    before: &str,
    field: &Value,
    path: &str,
    lines: &mut BTreeSet<String>,
) {
    let mut path = format!("{path}{}", field["name"].as_str().unwrap());
    let mut kind = field["type"].as_str().unwrap();
    while let Some(inner) = kind.strip_prefix("array<") {
        path.push_str("[]");
        kind = inner.strip_suffix('>').unwrap();
    }
    let members = match field.get("fields") {
        Some(members) => Some(members),
        None => table["models"].get(kind),
    };
    let kind = match kind {
        _ if members.is_some() => "object",
        "datetime" => "string",
        kind => kind,
    };
    let required = match field.get("required") {
        Some(Value::Bool(true)) if before.contains('>') && !path.contains('.') => ", required",
        _ => "",
    };
    lines.insert(format!("{before}{path}: {kind}{required}"));
    for member in members.and_then(Value::as_array).into_iter().flatten() {
        their_field(table, before, member, &format!("{path}."), lines);
    }
}

/// The same of our declarations.
fn ours(entries: &[&Entry], json: &'static str) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for entry in entries {
        let name = entry.name;
        lines.insert(format!("{name} {} {}", entry.method, entry.path));
        for member in entry.parameters {
            let place = match member.place {
                Place::Parameter if entry.method == http::Method::GET => "query",
                Place::Parameter | Place::Member | Place::Body => "body",
                Place::Query => "query",
                Place::Path => "path",
                Place::Header => "header",
            };
            let before = format!("{name} > {place} ");
            match (member.place, member.kind) {
                (Place::Body, Kind::Part(members)) => {
                    for member in members {
                        our_field(json, &before, member, "", &mut lines);
                    }
                }
                _ => our_field(json, &before, member, "", &mut lines),
            }
        }
        for member in entry.answer {
            our_field(json, &format!("{name} < "), member, "", &mut lines);
        }
    }
    lines
}

fn our_field(
    json: &'static str,
    before: &str,
    member: &Member,
    path: &str,
    lines: &mut BTreeSet<String>,
) {
    let mut path = format!("{path}{}", member.wire);
    let mut kind = &member.kind;
    while let Kind::List(inner) = kind {
        path.push_str("[]");
        kind = inner;
    }
    let (word, members): (_, &[Member]) = match kind {
        Kind::Text | Kind::Time => ("string", &[]),
        Kind::Integer => ("int", &[]),
        Kind::Number => ("number", &[]),
        Kind::Flag => ("bool", &[]),
        Kind::Json | Kind::Map(_) | Kind::List(_) => (json, &[]),
        Kind::Part(members) => ("object", members),
    };
    let is_always_sent = member.presence == Presence::Required
        || member
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::Else(_)));
    let required = match is_always_sent && before.contains('>') && !path.contains('.') {
        true => ", required",
        false => "",
    };
    lines.insert(format!("{before}{path}: {word}{required}"));
    for member in members {
        our_field(json, before, member, &format!("{path}."), lines);
    }
}

fn fits(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => line
            .strip_prefix(before)
            .is_some_and(|rest| rest.ends_with(after)),
        None => pattern == line,
    }
}

#[test]
fn declarations_and_the_vendors_tables_agree() {
    let mut differences = Vec::new();
    for (table, entries, json) in [
        (
            include_str!("../../../tests/data/alibaba_operations.json"),
            alibaba::operations::ALL,
            "string",
        ),
        (
            include_str!("../../../tests/data/huawei_operations.json"),
            huawei::operations::ALL,
            "json",
        ),
    ] {
        let (theirs, ours) = (
            theirs(&serde_json::from_str(table).unwrap()),
            ours(entries, json),
        );
        assert!(theirs.len() > 60, "{}", theirs.len());
        differences.extend(theirs.difference(&ours).map(|line| format!("- {line}")));
        differences.extend(ours.difference(&theirs).map(|line| format!("+ {line}")));
    }
    let on_purpose = |line: &&String| ON_PURPOSE.iter().any(|(pattern, _)| fits(pattern, line));
    let left: Vec<_> = differences
        .iter()
        .filter(|line| !on_purpose(line))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    for (pattern, reason) in ON_PURPOSE {
        let is_needed = differences.iter().any(|line| fits(pattern, line));
        assert!(is_needed, "no longer needed: {pattern} ({reason})");
    }
}
