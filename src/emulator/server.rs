//! From connection to answer.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::oneshot,
};

use super::{
    State,
    fault::{Fault, Kind},
    record::RecordedRequest,
    reply::{Part, Reply, ReplyBody},
    route::Route,
};

/// What is read and thrown away of a body that is too large: a client that is still sending
/// would not read the answer.
const DISCARDED: usize = 64 * 1024 * 1024;

/// Accepts connections until the last handle of the emulator is gone.
pub(crate) async fn run(
    listener: TcpListener,
    state: Arc<State>,
    stop: oneshot::Receiver<Infallible>,
) {
    let accepting = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    // A reply is written in pieces; none may wait for the acknowledgement of the
                    // last.
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(connection(stream, Arc::clone(&state)));
                }
                // Out of sockets, or a client that left at once: others may come.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    // Nothing is ever sent: the sender is dropped with the last handle.
    let _ = stop.await;
    accepting.abort();
    // The listener is closed once the task is gone.
    let _ = accepting.await;
}

/// Serves what one connection asks for, until it ends.
pub(crate) async fn connection<S>(stream: S, state: Arc<State>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = service_fn(move |request| serve(Arc::clone(&state), request));
    // An error is a client that left or a fault on order.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}

enum Outcome {
    Answer(Reply, Option<Part>),
    Cut,
    Hang,
}

async fn serve(state: Arc<State>, request: Request<Incoming>) -> Result<Response<ReplyBody>, Cut> {
    let (head, body) = request.into_parts();
    let route = Route::of(&head.method, head.uri.path());
    let (body, whole) = read(body, route.body_limit()).await.map_err(|_| Cut)?;
    let mut request = RecordedRequest {
        operation: String::new(),
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        status: None,
    };
    request.operation = route.operation(&request);
    let number = state.records.push(&request);
    // On its own: a flow goes on when the client goes away.
    let answer = tokio::spawn(answer(Arc::clone(&state), route, request, whole));
    match answer.await {
        Ok(Outcome::Answer(reply, part)) => {
            state.records.answered(number, reply.status);
            Ok(reply.into_response(part))
        }
        Ok(Outcome::Hang) => std::future::pending().await,
        Ok(Outcome::Cut) | Err(_) => Err(Cut),
    }
}

/// The body and true, or the start of one that is larger than the limit and false.
async fn read(mut body: Incoming, limit: usize) -> Result<(Bytes, bool), hyper::Error> {
    let (mut kept, mut total) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        total += data.len();
        let room = limit - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if total > DISCARDED {
            break;
        }
    }
    Ok((kept.freeze(), total <= limit))
}

async fn answer(state: Arc<State>, route: Route, request: RecordedRequest, whole: bool) -> Outcome {
    let Fault {
        delay,
        runs,
        headers,
        kind,
    } = state.faults.next(&request);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let ran = if runs {
        match answered(&state, &route, &request, whole).await {
            Some(reply) => Some(reply),
            None => return Outcome::Cut,
        }
    } else {
        None
    };
    let mut part = None;
    let reply = match (kind, ran) {
        (Kind::Cut, _) => return Outcome::Cut,
        (Kind::Hang, _) => return Outcome::Hang,
        (
            Kind::Refuse {
                status,
                code,
                message,
            },
            _,
        ) => route.error(&request, status, &code, &message),
        (
            Kind::Answer {
                status,
                content_type,
                body,
            },
            _,
        ) => Reply::new(status, &content_type, body),
        (Kind::Part { bytes, stall }, Some(ran)) => {
            part = Some(Part { bytes, stall });
            ran
        }
        (Kind::None, Some(ran)) => ran,
        // These two always run.
        (Kind::Part { .. } | Kind::None, None) => return Outcome::Cut,
    };
    let mut reply = reply;
    let date = state.clock.now().format("%a, %d %b %Y %H:%M:%S GMT");
    reply.set(header::DATE, &date.to_string());
    for (name, value) in headers {
        reply.headers.insert(name, value);
    }
    Outcome::Answer(reply, part)
}

/// The answer; `None` when something on the way has cut a long poll.
async fn answered(
    state: &State,
    route: &Route,
    request: &RecordedRequest,
    whole: bool,
) -> Option<Reply> {
    let answer = route.handle(state, request, whole);
    #[cfg(feature = "alibaba")]
    if request.operation == "DescribeExecution"
        && let Some(after) = state.flows.world().quirks.get().cut_long_polls_after
    {
        let clock = &state.clock;
        let cut = clock.until(clock.passed().saturating_add(after));
        return super::clock::first(answer, cut).await;
    }
    Some(answer.await)
}
