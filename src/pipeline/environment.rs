//! Variables, home directory, files and processes: read through here, so that tests inject them.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{
    inputs::{Input, Inputs},
    process,
};
use crate::{
    error::{Error, ErrorKind, Lack},
    payload::Secret,
};

/// No file of keys or tokens is larger.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const PROCESS_LIMIT: Duration = Duration::from_secs(60);

/// What surrounds this process.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    surroundings: Surroundings,
    /// Where it is noted what is read.
    inputs: Option<Arc<Inputs>>,
}

#[derive(Clone, Default)]
enum Surroundings {
    #[default]
    Real,
    #[cfg(any(test, fuzzing))]
    Fake(std::sync::Arc<fake::Fake>),
}

impl Environment {
    /// The one that this process has.
    pub(crate) fn real() -> Self {
        Self::default()
    }

    /// Whether a variable or a file is another one by now.
    pub(super) async fn has_changed_since(&self, inputs: &Inputs) -> bool {
        for (input, before) in inputs.read() {
            let now = match &input {
                Input::Variable(name) => {
                    let value = self.raw(name);
                    inputs.fingerprint(value.as_deref().map(OsStr::as_encoded_bytes))
                }
                Input::File(path) => {
                    let content = self.bytes(path).await.ok();
                    inputs.fingerprint(content.as_ref().map(|bytes| &bytes[..]))
                }
            };
            if now != before {
                return true;
            }
        }
        false
    }

    /// The same one, with a note of all that is read.
    pub(super) fn noting(&self, inputs: Option<&Arc<Inputs>>) -> Self {
        Self {
            surroundings: self.surroundings.clone(),
            inputs: inputs.cloned(),
        }
    }

    /// A variable; one that is empty is not set. What is not Unicode in it is replaced, so that a
    /// check of its characters refuses it.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.raw(name)
            .map(|value| value.to_string_lossy().into_owned())
    }

    /// The first of these variables that is set.
    pub(crate) fn first_of(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// A variable without which a source does not serve.
    pub(crate) fn required(&self, name: &str) -> Result<String, Error> {
        self.variable(name).ok_or_else(|| not_set(name))
    }

    /// Variables that serve together: all of them. Where some are set and some are not, what the
    /// user began cannot be used; where none is, the source is not set up.
    ///
    /// # Errors
    ///
    /// The first that is not set.
    pub(crate) fn together<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], Error> {
        let values = names.map(|name| self.variable(name));
        match names.iter().zip(&values).find(|(_, value)| value.is_none()) {
            None => Ok(values.map(Option::unwrap_or_default)),
            Some((name, _)) if values.iter().all(Option::is_none) => Err(not_set(name)),
            Some((name, _)) => Err(not_set(name).with_lack(Lack::Local)),
        }
    }

    /// A variable that holds a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// Whether a variable says `true`, in letters of any case.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.variable(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A path in the home directory.
    pub(crate) fn in_home(&self, path: &str) -> Result<PathBuf, Error> {
        self.home()
            .map(|home| home.join(path))
            .ok_or_else(|| not_set(HOME))
    }

    /// A path as messages show it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match self.home().as_deref().map(|home| path.strip_prefix(home)) {
            Some(Ok(rest)) => format!("`~/{}`", rest.display()),
            _ => format!("`{}`", path.display()),
        }
    }

    /// Reads a file of at most 1 MiB, without blocking the runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none, else [`ErrorKind::Credentials`]. Messages name
    /// the path and never the content.
    pub(crate) async fn read(&self, path: &Path) -> Result<Secret, Error> {
        self.text(path, self.bytes(path).await)
    }

    /// The same for whoever cannot wait: it blocks the thread.
    #[cfg(feature = "alibaba")]
    pub(crate) fn read_now(&self, path: &Path) -> Result<Secret, Error> {
        let read = match &self.surroundings {
            Surroundings::Real => read_file(path),
            #[cfg(any(test, fuzzing))]
            Surroundings::Fake(fake) => fake.read(path),
        };
        self.text(path, read.map(Zeroizing::new))
    }

    fn text(&self, path: &Path, read: io::Result<Zeroizing<Vec<u8>>>) -> Result<Secret, Error> {
        let bytes = read.map_err(|error| {
            let shown = self.shown(path);
            if error.kind() == io::ErrorKind::NotFound {
                return Error::new(ErrorKind::NotFound, format!("{shown} not found"));
            }
            let message = format!("{shown} could not be read: {error}");
            Error::new(ErrorKind::Credentials, message)
        })?;
        str::from_utf8(&bytes).map(Secret::new).map_err(|_| {
            let message = format!("{} is not UTF-8 text", self.shown(path));
            Error::new(ErrorKind::Credentials, message)
        })
    }

    /// A file's content.
    pub(super) async fn bytes(&self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        let read = match &self.surroundings {
            Surroundings::Real => {
                let path = path.to_owned();
                match spawn_blocking(move || read_file(&path)).await {
                    Ok(read) => read,
                    Err(_) => Err(io::Error::other("the runtime is ending")),
                }
            }
            #[cfg(any(test, fuzzing))]
            Surroundings::Fake(fake) => fake.read(path),
        };
        let read = read.map(Zeroizing::new);
        if let Some(inputs) = &self.inputs {
            inputs.note_file(path, read.as_ref().ok().map(|bytes| &bytes[..]));
        }
        read
    }

    /// Reads a token's file, which is done at each refresh, for tokens change. `what` is how errors
    /// call it.
    pub(crate) async fn read_token(&self, path: &Path, what: &str) -> Result<Secret, Error> {
        let file = self.read(path).await.map_err(|error| error.within(what))?;
        // Editors and shells end files with a line end; no token does.
        let token = Secret::new(file.expose().trim_ascii());
        token.check(&format!("{what} in {}", self.shown(path)))?;
        Ok(token)
    }

    /// Runs a program without a shell and gives what it writes to standard output. It is killed
    /// after 60 s, and when the future is dropped. Its words are parted as a shell parts them.
    pub(crate) async fn run(&self, command: &str) -> Result<Secret, Error> {
        // A fuzzer makes up commands: none is run.
        #[cfg(fuzzing)]
        if let Surroundings::Fake(_) = &self.surroundings {
            return self.read(&self.in_home("printed")?).await;
        }
        if let Some(sighting) = self.inputs.as_ref().and_then(|inputs| inputs.sighting()) {
            return Err(sighting.unasked("a program"));
        }
        process::run(command, PROCESS_LIMIT).await
    }

    fn home(&self) -> Option<PathBuf> {
        self.path(HOME)
    }

    pub(super) fn raw(&self, name: &str) -> Option<OsString> {
        let value = match &self.surroundings {
            Surroundings::Real => std::env::var_os(name),
            #[cfg(any(test, fuzzing))]
            Surroundings::Fake(fake) => fake.variable(name),
        };
        let value = value.filter(|value| !value.is_empty());
        if let Some(inputs) = &self.inputs {
            inputs.note_variable(name, value.as_deref());
        }
        value
    }
}

#[cfg(not(windows))]
const HOME: &str = "HOME";
#[cfg(windows)]
const HOME: &str = "USERPROFILE";

fn not_set(name: &str) -> Error {
    Error::not_set_up(format!("`{name}` not set"))
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before opening: opening a pipe that nobody writes to takes forever.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(..)")
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fake {
    //! An environment in memory.

    #![expect(clippy::unwrap_used, reason = "a lock is poisoned by a failed test")]

    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Default)]
    pub(crate) struct Fake {
        variables: Mutex<BTreeMap<String, String>>,
        files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
    }

    impl Fake {
        pub(super) fn variable(&self, name: &str) -> Option<OsString> {
            let variables = self.variables.lock().unwrap();
            variables.get(name).map(OsString::from)
        }

        pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let files = self.files.lock().unwrap();
            files
                .get(path)
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    impl Environment {
        /// These variables, no files, and the home directory `/test-home`.
        pub(crate) fn fake(variables: &[(&str, &str)]) -> Self {
            let environment = Self {
                surroundings: Surroundings::Fake(Arc::default()),
                inputs: None,
            };
            environment.set(HOME, "/test-home");
            for (name, value) in variables {
                environment.set(name, value);
            }
            environment
        }

        pub(crate) fn set(&self, name: &str, value: &str) {
            if let Surroundings::Fake(fake) = &self.surroundings {
                let mut variables = fake.variables.lock().unwrap();
                variables.insert(name.to_owned(), value.to_owned());
            }
        }

        /// Writes a file; `~/` is the home directory.
        pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
            if let Surroundings::Fake(fake) = &self.surroundings {
                let path = path.replacen("~/", "/test-home/", 1);
                let mut files = fake.files.lock().unwrap();
                files.insert(path.into(), content.as_ref().to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes with its test.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let name = format!("cloud-workflows-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::fake(&[("EMPTY", ""), ("FULL", "x"), ("FLAG", "True")]);
        assert_eq!(environment.variable("EMPTY"), None);
        assert_eq!(environment.variable("FULL").as_deref(), Some("x"));
        let first = environment.first_of(&["ABSENT", "EMPTY", "FULL"]);
        assert_eq!(first.as_deref(), Some("x"));
        assert!(environment.flag("FLAG") && !environment.flag("FULL"));
        let error = environment.required("EMPTY").unwrap_err();
        assert_eq!(error.message(), "`EMPTY` not set");
    }

    #[tokio::test]
    async fn files_are_read_with_a_bound() {
        let environment = Environment::real();
        let directory = Directory::new();
        let file = directory.0.join("key");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(environment.read(&file).await.unwrap().expose(), "text");

        std::fs::write(&file, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        let error = environment.read(&file).await.unwrap_err();
        assert!(error.message().ends_with("it is larger than 1 MiB"));

        std::fs::write(&file, b"caf\xe9").unwrap();
        let error = environment.read(&file).await.unwrap_err();
        assert!(error.message().ends_with("is not UTF-8 text"));
        assert!(!format!("{error:?}").contains("caf"));

        let error = environment.read(&directory.0).await.unwrap_err();
        assert!(error.message().ends_with("it is not a file"));
        let error = environment
            .read(&directory.0.join("absent"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn paths_are_shown_from_home_on() {
        let environment = Environment::fake(&[]);
        let path = environment.in_home(".aliyun/config.json").unwrap();
        let error = environment.read(&path).await.unwrap_err();
        assert_eq!(error.message(), "`~/.aliyun/config.json` not found");
        assert_eq!(environment.shown(Path::new("/etc/key")), "`/etc/key`");
        environment.set(HOME, "");
        let error = environment.in_home("x").unwrap_err();
        assert!(error.message().ends_with("not set"));
    }
}
