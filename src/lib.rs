//! Takes a read-only snapshot of a FreePBX/Asterisk server and writes it as one JSON file.
//!
//! Run once, by cron or a timer, the program logs in to the Asterisk Manager Interface (AMI), asks
//! what there is to know (extensions, trunks, queues, calls, …), and replaces
//! `cache/freepbx.json` in one step. People, dashboards and language models then read the file and
//! need neither a login nor a connection to the PBX. The program changes nothing on the PBX: no
//! action that could is known to it.
//!
//! This page is the design. For installation and use see the README; for every key of the file see
//! [`snapshot::Snapshot`].
//!
//! # The way of the data
//!
//! ```text
//!  config ──▶ ami ──▶ collect ──▶ normalize ──▶ output ──▶ freepbx.json ──▶ views
//!                                     │
//!                                  snapshot (the types of the file)
//! ```
//!
//! 1. [`config`] reads the YAML file into typed values, or says in one line which line of it is
//!    wrong. Nothing is connected to before the configuration is right.
//! 2. [`ami`] speaks the protocol: connects, logs in, sends actions, and turns bytes into answers.
//!    It stands alone and knows neither FreePBX nor JSON.
//! 3. [`collect`] knows which section of the snapshot is read from which actions
//!    ([`collect::sources`]), asks each of them once ([`collect::Plan`]), goes on when one fails
//!    ([`collect::collect`]), and keeps what came of every one ([`collect::Answers`]). What only
//!    the first answers show to be worth asking is foreseen where the snapshot before tells it
//!    ([`collect::Plan::foreseen`]); the result is the same either way. It also
//!    reads two things that several sections need: FreePBX's part of AstDB ([`collect::AstDb`]),
//!    and what each device is ([`collect::Directory`]): phone of an extension, trunk, or neither.
//! 4. [`normalize`] turns the answers into a [`snapshot::Snapshot`]. It is pure: no socket, no
//!    file, no clock, so that recordings of real servers test all of it.
//! 5. [`output`] writes the serialized snapshot atomically, under a lock, keeps what the next run
//!    compares with, and reads it, or the whole snapshot before, for comparison.
//! 6. [`views`] are readers of the file. They know [`snapshot`] and nothing of how it came about.
//!
//! Beside it stands what shows and reproduces what a PBX said:
//!
//! ```text
//!  ami (its tap) ──▶ capture ──▶ a folder ──▶ replay ──▶ any AMI client
//! ```
//!
//! [`capture`] keeps a collection as the bytes of the wire and takes out of them what tells whose PBX
//! it is; [`replay`] is a server that answers with them. [`demo`] is a capture in the program itself.
//!
//! [`commands`] puts these together, one file per command; [`cli`] is the command line; [`error`]
//! maps what ends a run to its one line of text and its exit code; [`terminal`] makes untrusted text
//! safe to print, and tables of it.
//!
//! Two commands look at the wire itself: `ask` runs single actions, `probe` none at all. They share
//! the collector's [`ami::Client`], so that what they show is what the collector sees; `--transcript`
//! writes it down ([`ami::Tap`]).
//!
//! # Invariants
//!
//! `tests/it/tidy.rs` checks the first three by reading the source.
//!
//! - Imports follow the data: `ami`, `snapshot` and `terminal` import nothing of this crate,
//!   `output` only `snapshot`, `views` only `snapshot` and `terminal`, `collect` only `ami`,
//!   `config`, `snapshot` and `terminal` (for what it logs), `normalize` these and `collect`,
//!   `capture` only `ami` and `collect`, `replay` only `ami` and `capture`, `demo` these two and
//!   `replay`.
//! - YAML is known to `config` only. The time of day enters in `main.rs` and is an argument
//!   everywhere else.
//! - Library code never prints; what a person is told goes to a writer that the caller gives.
//! - Only read actions can be built ([`ami::ReadAction`]), and a header's value cannot hold a line
//!   end.
//! - Secrets are dropped where bytes become answers, inside `ami`; nothing behind it can leak what
//!   it never saw. The program's own password has a type that neither prints nor serializes
//!   ([`ami::Password`]). A capture hears of the wire what [`ami::Tap`] tells without secrets.
//! - Everything that comes over the wire is bounded ([`ami::Limits`]), may be invalid UTF-8, and
//!   is data: no unchecked index, no `unwrap`, no panic.
//! - Once a login has worked, only the deadline ends a run, and what was read by then is written.
//!   An action that hangs costs its own section and a new connection, never the rest.
//! - The file that readers see is always a whole snapshot, old or new. A run that fails before it
//!   has one leaves the file as it was.
//! - The same answers at the same time give the same bytes: lists stand in a natural order, keys
//!   in that of the types.
//! - Everything up to and including [`summary`](snapshot::Summary) stands within the file's first
//!   5,000 characters, however large the PBX.
//!
//! # What is not known is said
//!
//! `null` is "not known"; `[]`, `0` and `false` are "known to be none". That difference is kept all
//! the way. An action has an [`Outcome`](collect::Outcome): answered, failed (and how), or not
//! asked. A section has data as soon as one of its [`Role::Core`](collect::Role::Core) actions was
//! answered, and is `null` otherwise. A fact inside an item is `None` when its own source is
//! missing: without AstDB an extension's `dnd` is `null` and not `false`.
//!
//! Beside the data stands a [`SectionReport`](snapshot::SectionReport) that names every action and
//! what came of it. An action that this server does not have is no loss (`unsupported`: a PBX
//! without chan_sip is whole); one that the account may not run is (`denied`, and the message names
//! the class that would permit it), as are a timeout and a damaged list. Only such losses make the
//! snapshot incomplete and the exit code 3.
//!
//! Where Asterisk's own word says more than our enumeration, it stands beside it (`state_raw`,
//! `device_state`). Where a judgement rests on a rule, the rule is named
//! ([`KindSource`](snapshot::KindSource), [`TalkSource`](snapshot::TalkSource)).
//!
//! # Adding a section
//!
//! 1. Its types go to a file in `snapshot/`, with a `///` for every key: that text is the manual.
//!    Its key becomes a field of [`snapshot::Snapshot`], its report one of
//!    [`snapshot::Sections`], and its name one of [`snapshot::Section`] and, so that
//!    `freepbx.skip` takes it, of `config/keys.rs` (a test compares the two).
//! 2. The actions it needs go to [`collect::sources`]. One that is new to the client goes to
//!    [`ami::ReadAction`] with the facts of its answer: class, module, event names, how it says
//!    "none". What only the first answers make worth asking goes to [`collect::Plan::then`].
//! 3. A file in `normalize/` turns rows into the types: `Option<Vec<_>>`, `None` without an answer.
//!    It is called, and its report made, in [`normalize::snapshot`].
//! 4. `cargo test` then makes golden files of it from every recording in `tests/fixtures` (see
//!    `tests/it/golden.rs`); they are read like code.
//!
//! The contract is in the types: adding a key is free, and renaming, retyping or re-meaning one
//! needs a new [`snapshot::SCHEMA_VERSION`].
//!
//! # As a library
//!
//! [`ami`] is a client for programs of one's own; [`snapshot`] and [`views::load`] read the file;
//! [`config`] reads the configuration. `examples/` has a program for each of the first two. These
//! follow Semantic Versioning, and `just semver` holds them to it. Everything else is public for
//! the program and its tests, and may change with any version.
//!
//! Types of other libraries stand in these APIs only where they are the point:
//! [`snapshot::Timestamp`] turns into chrono's (and `std`'s, which is enough for most), the types of
//! [`snapshot`] implement the traits of `serde` and `schemars::JsonSchema`, and
//! [`snapshot::schema`] is a `schemars::Schema`. [`ami`] and [`config`] have none.
#![forbid(unsafe_code)]

pub mod ami;
pub mod capture;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod config;
pub mod demo;
pub mod error;
pub mod normalize;
pub mod output;
pub mod replay;
pub mod snapshot;
pub mod terminal;
pub mod views;
