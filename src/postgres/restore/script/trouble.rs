//! What is wrong with text that psql would do something else with than send it to a server.

/// Why text must not get into a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Command,
    /// A dollar sign after a number and letters, by which psql understands one thing or another.
    Dollar,
    Variable,
    /// Something is open at the end.
    Open(&'static str),
    /// A COPY statement, for which psql takes what follows for rows.
    Copy,
}

impl Trouble {
    pub(super) fn why(self) -> String {
        match self {
            Self::Command => {
                "it has a backslash outside of quotes, which psql would take for a command of its own".into()
            }
            Self::Dollar => {
                "it has a dollar sign after a number and letters, where one psql begins a quote and another does not"
                    .into()
            }
            Self::Variable => "it has a variable of psql's outside of quotes, which psql would replace".into(),
            Self::Open(what) => {
                format!("{what} in it has no end, so that psql would take what follows for a part of it")
            }
            Self::Copy => "it is a COPY statement, and psql would take what follows for rows".into(),
        }
    }
}

/// The variables that psql sets by itself, and those that steer it, which a person may have set.
const VARIABLES: &str = "AUTOCOMMIT COMP_KEYWORD_CASE DBNAME ECHO ECHO_HIDDEN ENCODING ERROR FETCH_COUNT HIDE_TABLEAM \
    HIDE_TOAST_COMPRESSION HISTCONTROL HISTFILE HISTSIZE HOST IGNOREEOF LASTOID LAST_ERROR_MESSAGE LAST_ERROR_SQLSTATE \
    ON_ERROR_ROLLBACK ON_ERROR_STOP PIPELINE_COMMAND_COUNT PIPELINE_RESULT_COUNT PIPELINE_SYNC_COUNT PORT PROMPT1 PROMPT2 \
    PROMPT3 QUIET ROW_COUNT SERVER_VERSION_NAME SERVER_VERSION_NUM SERVICE SERVICEFILE SHELL_ERROR SHELL_EXIT_CODE \
    SHOW_ALL_RESULTS SHOW_CONTEXT SINGLELINE SINGLESTEP SQLSTATE USER VERBOSITY VERSION VERSION_NAME VERSION_NUM \
    WATCH_INTERVAL";

/// Whether psql has a variable of this name by itself.
pub(super) fn is_variable(name: &[u8]) -> bool {
    VARIABLES.split(' ').any(|variable| variable.as_bytes() == name)
}
