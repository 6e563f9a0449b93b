//! What a piece of work costs this process.

use std::{
    alloc::System,
    ops::AddAssign,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::Failure;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What some calls cost together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) calls: usize,
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Growing a block counts as one.
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
}

impl Cost {
    /// Per call.
    pub(crate) fn each(&self, total: f64) -> f64 {
        total / self.calls.max(1) as f64
    }

    pub(crate) fn micros(&self) -> f64 {
        self.each(self.cpu.as_secs_f64() * 1e6)
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.calls as f64 / self.wall.as_secs_f64()
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.allocations += other.allocations;
        self.bytes += other.bytes;
    }
}

/// Does the work and tells what it cost.
pub(crate) fn cost_of(
    calls: usize,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<Cost, Failure> {
    let (before, cpu, wall) = (ALLOCATOR.stats(), cpu_time(), Instant::now());
    work()?;
    let (after, wall) = (ALLOCATOR.stats(), wall.elapsed());
    let allocations =
        (after.allocations - before.allocations) + (after.reallocations - before.reallocations);
    Ok(Cost {
        calls,
        wall,
        cpu: cpu_time().saturating_sub(cpu),
        allocations,
        bytes: after.bytes_allocated - before.bytes_allocated,
    })
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Bytes of the heap in use.
pub(crate) fn heap() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes of the process in memory.
pub(crate) fn resident() -> Result<usize, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: usize = line
        .ok_or("the system does not tell the size of a process")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kilobytes * 1024)
}

/// Does the work and tells by how much heap and process grew on the way, at most.
pub(crate) fn peak_of(
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(usize, usize), Failure> {
    let (heap_before, resident_before) = (heap(), resident()?);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let (mut most_heap, mut most_resident) = (heap_before, resident_before);
            while !is_done.load(Ordering::Relaxed) {
                most_heap = most_heap.max(heap());
                most_resident = most_resident.max(resident().unwrap_or_default());
                std::thread::sleep(Duration::from_millis(5));
            }
            (most_heap - heap_before, most_resident - resident_before)
        });
        let worked = work();
        is_done.store(true, Ordering::Relaxed);
        let peak = sampler.join().map_err(|_| "the sampler panicked")?;
        worked.map(|()| peak)
    })
}
