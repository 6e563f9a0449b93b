//! What a flow does: its definition.

use crate::{huawei::declare::part, open_enum::open_enum, payload::Payload};

open_enum! {
    /// How a flow runs.
    WorkflowMode {
        /// Its executions are kept and can be looked at.
        Normal = "NORMAL",
        /// It ends within five minutes, and no execution is kept.
        Express = "EXPRESS",
    }
}

open_enum! {
    /// What is logged of the executions of a flow of mode EXPRESS.
    LogLevel {
        /// Everything.
        All = "ALL",
        /// What went wrong.
        Error = "ERROR",
        /// Nothing.
        None = "NONE",
    }
}

open_enum! {
    /// What a trigger listens to. Not every region has all of them.
    TriggerType {
        /// A timer.
        FlowTimer = "FLOWTIMER",
        /// Messages of Simple Message Notification.
        Smn = "SMN",
        /// The shared API gateway.
        Apig = "APIG",
        /// A dedicated API gateway.
        ApigDedicated = "APIG_DE",
        /// Objects of the Object Storage Service.
        Obs = "OBS",
    }
}

open_enum! {
    /// What a node does.
    StateType {
        /// Calls functions.
        Operation = "Operation",
        /// Waits.
        Sleep = "Sleep",
        /// Ends the flow.
        End = "End",
    }
}

open_enum! {
    /// In which order a node's actions run.
    ActionMode {
        /// One after the other.
        Sequential = "sequential",
        /// Side by side.
        Parallel = "parallel",
    }
}

open_enum! {
    /// How a function is called.
    InvokeMode {
        /// The node waits for its end.
        Synchronize = "synchronize",
    }
}

/// What a flow's name may be made of.
fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_().-".contains(c) || ('\u{4e00}'..='\u{9fa5}').contains(&c)
}

part! {
    /// The definition of a flow: what `CreateWorkflow` and `UpdateWorkFlow` are given, and
    /// `ShowWorkFlow` shows.
    ///
    /// One that was read, from an answer or with serde from JSON, is written as it came but for
    /// what was changed: members that this crate does not know are kept, in every part of it. Two
    /// are equal where the members that it knows are.
    ///
    /// `Debug` shows its name and no more of it.
    ///
    /// ```
    /// use cloud_workflows::huawei::{
    ///     Action, Function, FunctionRef, OperationState, StateType, WorkflowCreateBody,
    /// };
    /// use serde_json::json;
    ///
    /// let charge = FunctionRef::new("charge").arguments(json!({"order": "${.order}"}));
    /// let state = OperationState::new("s1", "Charge", StateType::Operation)
    ///     .actions(vec![Action::new(charge)])
    ///     .end(true);
    /// let function = "urn:fss:cn-north-4:2c0f3c3a5d7a4a6f9a1e5b7d9c1f3e57:function:default:charge:latest";
    /// let flow = WorkflowCreateBody::new("order", "s1", [state])
    ///     .functions(vec![Function::new("charge", function)]);
    /// let read: WorkflowCreateBody = serde_json::from_value(json!({"name": "order", "tomorrow": 1}))?;
    /// assert_eq!(serde_json::to_value(read)?["tomorrow"], 1);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    WorkflowCreateBody;
    /// A flow of this name that begins at the node of the id `start`.
    new {
        /// Its name: 1 to 64 letters, digits, `_ ( ) . -` and Chinese characters. Nothing says
        /// that it is the only one of this name.
        pub name: String = "name" (Length(1, 64), Only(is_of_a_name, "letters, digits, _ ( ) . - and Chinese characters")),
        /// Id of the first node: 1 to 256 characters.
        pub start: String = "start" (Length(1, 256), Hidden),
        /// Its nodes: 1 to 100.
        pub states: Vec<OperationState> = "states" (Length(1, 100), Hidden),
    }
    with {
        /// What it is for: 1 to 512 characters.
        pub description: String = "description" (Length(1, 512), Hidden),
        /// What starts it: up to 200 triggers.
        pub triggers: Vec<Trigger> = "triggers" (Length(0, 200), Hidden),
        /// The functions that its nodes call: up to 100; none when absent.
        pub functions: Vec<Function> = "functions" (Length(0, 100), Else("[]"), Hidden),
        /// How often its nodes are tried again: up to 200 ways; none when absent.
        pub retries: Vec<Retry> = "retries" (Length(0, 200), Else("[]"), Hidden),
        /// How it runs; `NORMAL` when absent.
        pub mode: WorkflowMode = "mode",
        /// What is logged; used with mode EXPRESS only.
        pub express_config: ExpressConfig = "express_config" (Hidden),
        /// The enterprise project that it belongs to: up to 64 characters.
        pub enterprise_project_id: String = "enterprise_project_id" (Length(0, 64), Hidden),
        /// Whether it can answer piece by piece; it cannot when absent.
        pub enable_stream_response: bool = "enable_stream_response",
    }
    json {
        /// Values that its nodes can use: a JSON object; `{}` when absent.
        pub constants | constants_json: Payload = "constants" (Object, Else("{}"), Hidden),
    }
}

part! {
    /// What starts a flow.
    Trigger;
    /// A trigger of this name and type.
    new {
        /// Its name: 1 to 256 characters.
        pub trigger_name: String = "trigger_name" (Length(1, 256)),
        /// What it listens to.
        pub trigger_type: TriggerType = "trigger_type",
    }
    with {
        /// Whether it is switched on; it is when absent.
        pub enabled: bool = "enabled",
        /// What it listens to in detail. The form is documented for `OBS` alone: the one of
        /// another type is read from JSON, and kept as it is.
        pub trigger_config: ObsTriggerConfig = "trigger_config" (Hidden),
    }
}

part! {
    /// Which objects start a flow (the vendor's `OBSTriggerConfig`).
    ObsTriggerConfig;
    /// Objects of this bucket.
    new {
        /// The bucket: 1 to 64 characters.
        pub bucket: String = "bucket",
        /// What happens to the objects: 1 to 64 events.
        pub events: Vec<String> = "events",
        /// What their names begin with: 1 to 64 characters.
        pub prefix: String = "prefix",
        /// What their names end with: 1 to 64 characters.
        pub suffix: String = "suffix",
    }
}

part! {
    /// A function that a flow's nodes can call.
    Function;
    /// The function of this URN, under a name of the flow's own.
    new {
        /// Its name in the flow, where it is the only one: up to 256 characters.
        pub name: String = "name" (Length(0, 256)),
        /// Its URN: up to 256 characters.
        pub operation: String = "operation" (Length(0, 256)),
    }
    json {
        /// What else is known of it: a JSON object.
        pub metadata | metadata_json: Payload = "metadata" (Object),
    }
}

part! {
    /// A node of a flow.
    OperationState;
    /// A node of this id, name and type, behind which the flow does not end.
    new {
        /// Its id: up to 64 characters.
        pub id: String = "id" (Length(0, 64)),
        /// Its name: 1 to 256 characters.
        pub name: String = "name" (Length(1, 256)),
        /// What it does.
        pub kind: StateType = "type",
    }
    with {
        /// Whether the flow ends behind it; `false` when absent.
        pub end: bool = "end" (Else("false")),
        /// Id of the node that follows: up to 256 characters; empty when absent.
        pub transition: String = "transition" (Length(0, 256), Else("\"\"")),
        /// What it calls: up to 10 actions, of a node of type `Operation` one at least.
        pub actions: Vec<Action> = "actions" (Length(0, 10), Else("[]")),
        /// In which order; one after the other when absent.
        pub action_mode: ActionMode = "action_mode",
        /// What follows when it fails: up to 200 cases.
        pub on_errors: Vec<OnError> = "on_errors" (Length(0, 200)),
        /// What of its input it takes, and of its output it gives.
        pub state_data_filter: StateDataFilter = "state_data_filter",
        /// How long a node of type `Sleep` waits, in seconds: 0.001 to 86400.
        pub duration: f64 = "duration" (Range(0, 86_400)),
    }
}

part! {
    /// One thing that a node does.
    Action;
    /// A call of this function.
    new {
        /// The function that is called.
        pub function_ref: FunctionRef = "function_ref",
    }
}

part! {
    /// The call of a function.
    FunctionRef;
    /// A call of the function that has this name in the flow.
    new {
        /// Its name in the flow: up to 256 characters.
        pub ref_name: String = "ref_name" (Length(0, 256)),
    }
    with {
        /// How it is called.
        pub invoke_mode: InvokeMode = "invoke_mode",
    }
    json {
        /// What it is given: a JSON object; `{}` when absent.
        pub arguments | arguments_json: Payload = "arguments" (Object, Else("{}")),
    }
}

part! {
    /// What follows when a node fails.
    OnError;
    /// A case that says nothing yet.
    new {}
    with {
        /// For which failures: an expression of up to 256 characters.
        pub error: String = "error" (Length(0, 256)),
        /// Id of the node that follows: up to 256 characters.
        pub transition: String = "transition" (Length(0, 256)),
        /// Name of the way in which it is tried again: up to 256 characters.
        pub retry_ref: String = "retry_ref" (Length(0, 256)),
    }
}

part! {
    /// A way in which a node is tried again.
    Retry;
    /// One of this name.
    new {
        /// Its name: 1 to 256 characters.
        pub name: String = "name" (Length(1, 256)),
    }
    with {
        /// How long it waits between two tries, in seconds: 1 to 30; 1 when absent.
        pub delay: i32 = "delay" (Range(1, 30)),
        /// How often it tries: 1 to 8 times; 3 when absent.
        pub max_attempts: i32 = "max_attempts" (Range(1, 8)),
    }
}

part! {
    /// What of its input a node takes, and of its output it gives.
    StateDataFilter;
    /// One that lets all pass.
    new {}
    with {
        /// A JSONPath of up to 256 characters.
        pub input: String = "input" (Length(0, 256)),
        /// A JSONPath of up to 256 characters.
        pub output: String = "output" (Length(0, 256)),
    }
}

part! {
    /// What is logged of the executions of a flow of mode EXPRESS.
    ExpressConfig;
    /// One that leaves it to the service.
    new {}
    with {
        /// How much.
        pub log_level: LogLevel = "log_level",
    }
}
