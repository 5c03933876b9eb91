//! Checks the folder of the embedded store: who owns what, room on the disk, and the store itself.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::geteuid;

use super::report::Report;
use crate::store;

/// Less room than this and the store refuses changes soon.
const TIGHT_BYTES: u64 = 64 * 1024 * 1024;

/// Less room than this and the store refuses changes: a batch of changes needs half of it.
const FULL_BYTES: u64 = 1024 * 1024;

/// The permissions of a group and of others.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// Checks the store's folder at `data`.
pub fn check(data: &Path, report: &mut Report) {
    let shown = data.display();
    let folder = match fs::metadata(data) {
        Ok(folder) if folder.is_dir() => folder,
        Ok(_) => {
            report.problem(
                "data folder",
                format!("{shown} is not a folder"),
                "Name the folder of the store with --data.",
            );
            return;
        }
        Err(error) => {
            report.warning(
                "data folder",
                format!("{shown} cannot be read: {error}"),
                "Name the folder of the store with --data. The first start of the server creates it.",
            );
            return;
        }
    };
    check_owners(data, &folder, report);
    let size = fs::metadata(data.join("pet-store.redb")).map_or(0, |file| file.len());
    check_space(data, size, report);
    // Opening the store makes its lock, and one that root owns would keep the server out.
    if folder.uid() == geteuid().as_raw() {
        check_store(data, report);
    } else {
        let owner = user_name(folder.uid());
        report.note(
            "store",
            format!("not checked, because {owner} owns the folder"),
            format!("Run this as {owner}: sudo -u {owner} pet-store doctor …"),
        );
    }
}

/// Checks that one user owns everything in the folder, and that nobody else can read the files.
fn check_owners(data: &Path, folder: &Metadata, report: &mut Report) {
    let (shown, owner) = (data.display(), user_name(folder.uid()));
    let before = report.has_problem();
    if folder.permissions().mode() & OTHERS_WRITE != 0 {
        report.problem(
            "data folder",
            format!("other users can replace files in {shown}"),
            format!("chmod 700 {shown}"),
        );
    }
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) => {
            return report.problem(
                "data folder",
                format!("{shown} cannot be listed: {error}"),
                format!("Run this as {owner}, or: chown -R pet-store: {shown}"),
            );
        }
    };
    let mut count = 0;
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let Ok(file) = entry.metadata() else {
            continue;
        };
        if !name.starts_with("pet-store") {
            continue;
        }
        count += 1;
        if file.uid() != folder.uid() {
            report.problem(
                "data folder",
                format!(
                    "{} owns {name}, and {owner} the folder",
                    user_name(file.uid())
                ),
                format!("chown {owner}: {}", path.display()),
            );
        }
        if file.is_file() && file.permissions().mode() & OTHERS != 0 {
            report.problem(
                "data folder",
                format!("other users can read {name}, which has password hashes"),
                format!("chmod 600 {}", path.display()),
            );
        }
        if name.starts_with("pet-store-schema-") {
            report.note(
                "data folder",
                format!("{name} is the store from before an update"),
                format!(
                    "Once you are happy with the new version: rm {}",
                    path.display()
                ),
            );
        }
    }
    if report.has_problem() == before {
        report.ok(
            "data folder",
            format!("{shown}: {count} files of {owner}, private"),
        );
    }
}

fn check_space(data: &Path, store_bytes: u64, report: &mut Report) {
    let disk = match statvfs(data) {
        Ok(disk) => disk,
        Err(error) => {
            return report.note("disk", format!("free space is unknown: {error}"), "");
        }
    };
    let free = disk.f_bavail * disk.f_frsize;
    let message = format!(
        "{} free, the store has {}",
        mebibytes(free),
        mebibytes(store_bytes)
    );
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        report.problem(
            "disk",
            "it is mounted read-only, so changes are refused",
            "Read the kernel's log (dmesg) for why, and mount it writable.",
        );
    } else if free < FULL_BYTES || (disk.f_files > 0 && disk.f_favail == 0) {
        report.problem(
            "disk",
            format!("full: {message}"),
            "Free space: changes are refused until there is room. The server needs no restart then.",
        );
    } else if free < TIGHT_BYTES.max(store_bytes) {
        report.warning(
            "disk",
            format!("almost full: {message}"),
            "Make room for as much as the store has: an update may copy it first.",
        );
    } else {
        report.ok("disk", message);
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1024 * 1024))
}

fn check_store(data: &Path, report: &mut Report) {
    if !data.join("pet-store.redb").exists() {
        return report.note(
            "store",
            "there is none yet",
            "The first start of the server creates it.",
        );
    }
    match store::check(data) {
        Ok((contents, pages)) => {
            let depth = if pages { "pages and records" } else { "records" };
            let (pets, changes) = (contents.pets, contents.changes);
            report.ok("store", format!("all {depth} are intact: {pets} pets, {changes} changes"));
        }
        Err(error) => report.problem(
            "store",
            error.to_string(),
            "Keep the file, and restore the newest backup into an empty folder: pet-store restore FILE \
             --data DIR",
        ),
    }
}

/// Returns the name of a user, or the number if there is no name.
fn user_name(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("user {id}"))
}
