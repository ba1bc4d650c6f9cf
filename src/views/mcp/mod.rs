//! A Model Context Protocol server: an assistant asks, the snapshot file answers.
//!
//! It reads the file anew for every request and never talks to the PBX. Whoever asks gets with
//! every answer how old it is and a warning where it is stale, no more than a model can take at
//! once, and no hidden characters in the texts that callers choose.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        Implementation, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities,
        ServerConfig, Tool, ToolAnnotations,
    },
    service::{RequestContext, ServerInitializeError},
};
use tokio::io::{AsyncRead, AsyncWrite};

use self::{
    about::{About, CALLER_SUPPLIED_NOTE},
    file::File,
    tools::{Question, TOOLS},
};

mod about;
mod file;
mod page;
mod resources;
mod tools;

/// Answers requests from `input` on `output` until `input` ends. `clock` tells the time: a server
/// lives long, and an age must not stand still with it.
///
/// # Errors
///
/// When what is at the other end does not speak the protocol. The text says so in one line.
pub async fn serve(
    file: PathBuf,
    clock: fn() -> DateTime<Utc>,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), String> {
    let server = Server { file: File::new(file), clock };
    match rmcp::serve_server(server, (input, output)).await {
        Ok(running) => {
            running.waiting().await.map_err(|error| error.to_string())?;
            Ok(())
        }
        // A client that leaves before it says anything has changed its mind.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the client is told at the beginning.
const INSTRUCTIONS: &str = "Answers questions about a FreePBX/Asterisk phone system from a \
    snapshot file that a collector writes every few minutes: who is on a call, which extensions \
    are offline, are the trunks up, who waits in which queue. Read-only; it cannot change the phone \
    system. Begin with the tool `overview`. Every answer says when the snapshot was collected \
    (`about.freshness`): when it is stale, do not present it as current, and tell the user how old \
    it is. `null` and `not_known` mean not known, never none. Lists come in pages: while \
    `next_cursor` is set there is more.";

/// The server's state: a file, and what time it is.
#[derive(Debug)]
struct Server {
    file: File,
    clock: fn() -> DateTime<Utc>,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        let name = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .with_title("FreePBX snapshot");
        ServerConfig::new(capabilities)
            .with_server_info(name)
            .with_instructions(format!("{INSTRUCTIONS} {CALLER_SUPPLIED_NOTE}"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        const AN_HOUR: u64 = 3_600_000;
        let tools = TOOLS.iter().map(described).collect();
        // The tools of a program do not change while it runs.
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(AN_HOUR)
            .with_cache_scope(CacheScope::Public))
    }

    /// What goes wrong with the file or the arguments is a result with `isError`, which a model
    /// sees and can act on; a protocol error stays with its client.
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
            let message = format!("no tool of this name; there are: {}", names.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        };
        let answer = self.file.read().map_err(|error| error.to_string()).and_then(|snapshot| {
            (tool.answer)(&Question {
                tool: tool.name,
                arguments: &request.arguments.unwrap_or_default(),
                about: About::of(&snapshot, (self.clock)()),
                snapshot: &snapshot,
            })
        });
        let result = match answer {
            Ok(answer) => {
                let text = page::clip(&answer.text, page::LARGEST);
                let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
                result.structured_content = Some(answer.structured);
                result
            }
            Err(message) => CallToolResult::error(vec![ContentBlock::text(page::clip(
                &crate::terminal::clean(&message),
                2_000,
            ))]),
        };
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resources::list())
            .with_ttl_ms(0)
            .with_cache_scope(CacheScope::Private))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let contents = resources::read(&request.uri, &|| {
            let snapshot = self
                .file
                .read()
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            let about = About::of(&snapshot, (self.clock)());
            Ok((snapshot, about))
        })?;
        let result =
            ReadResourceResult::new(contents).with_ttl_ms(0).with_cache_scope(CacheScope::Private);
        Ok(result.into())
    }
}

fn described(tool: &tools::Tool) -> Tool {
    let annotations = ToolAnnotations::with_title(tool.title)
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Tool::new(tool.name, tool.description, (tool.input)())
        .with_title(tool.title)
        .with_raw_output_schema((tool.output)().into())
        .with_annotations(annotations)
}
