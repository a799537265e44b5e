"""The child process that loads one driver library and reports what it says.

Run in an isolated interpreter by ``RealHost``, with the library's API ("nvml", "cuda", "devices",
"health"), a token, and the library's path or soname. It is one long file on purpose and imports
nothing of this package (but, for "health", the file beside it): that is all there is to review.
Each answer is one line
``<token> <word> <field> ...`` on the channel, written as soon as it is known: what was said before
a crash or a hang still counts.

With "program" for an API it runs a program of the driver instead, under the same guard.

Prototypes: nvml.h and cuda.h of CUDA 13.5; all functions return an int, 0 for success.
"""

import _signal  # type: ignore[import-not-found]  # signal itself makes enumerations at a price
import ctypes
import gc
import os
import sys
import time

MAX_DEVICES = 256
NVML_FUNCTION_NOT_FOUND = 13
CUDA_NOT_FOUND = 500

CU_INTEGRATED = 18
CU_CAPABILITY_MAJOR = 75
CU_CAPABILITY_MINOR = 76

# cfgmgr32.h: the list of one enumerator, without devices that were removed.
PCI_ENUMERATOR = "PCI"
PRESENT_OF_ENUMERATOR = 0x101
HAS_PROBLEM = 0x400
MAX_LIST = 1 << 20

RTLD_DI_LINKMAP = 2

# Containers may allow a billion descriptors, and the driver's library walks all of them.
MAX_DESCRIPTORS = 4096
# libcuda needs a few hundred MB on a machine with eight GPUs. What it forks counts as well.
MAX_RESIDENT = 1 << 30
MAX_PROCESSES = 64
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SIGKILL = 9
# As shells count: 139 says that signal 11 ended the process.
BY_SIGNAL = 128
CANNOT_START = 127


class PciInfo(ctypes.Structure):
    """``nvmlPciInfo_t``, 68 bytes."""

    _fields_ = [
        ("bus_id_legacy", ctypes.c_char * 16),
        ("domain", ctypes.c_uint),
        ("bus", ctypes.c_uint),
        ("device", ctypes.c_uint),
        ("pci_device_id", ctypes.c_uint),
        ("pci_subsystem_id", ctypes.c_uint),
        ("bus_id", ctypes.c_char * 32),
    ]


class Memory(ctypes.Structure):
    """``nvmlMemory_t``, in bytes."""

    _fields_ = [
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    ]


class Reporter:
    """Writes lines to the channel: the pipe that was standard output when the child started."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.channel = os.dup(1)
        # Whatever a library prints, on any standard stream, must not reach the channel.
        self.nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(self.nowhere, stream)

    def say(self, word: str, *fields: object) -> None:
        """Send one line; text is escaped so that a name cannot forge another line.

        It begins with a newline too: a library may have written half a line to the channel.
        """
        escaped = (escape(str(field)) for field in fields)
        line = "\n" + "\t".join((self.token, word, *escaped)) + "\n"
        os.write(self.channel, line.encode("ascii"))


def escape(text: str) -> str:
    """Escape all but printable ASCII; most texts need nothing, which spares loading the codec."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii")


class LinkMap(ctypes.Structure):
    """The first two fields of ``struct link_map``."""

    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]


class Library:
    """A loaded library whose missing functions answer with an error code."""

    def __init__(self, path: str, missing: int) -> None:
        # The functions of Windows' libraries are called in a way of their own.
        self.handle: ctypes.CDLL = getattr(ctypes, "WinDLL", ctypes.CDLL)(path)
        self.missing = missing

    def call(self, name: str, *arguments: object) -> int:
        """Call a function that returns a status code."""
        try:
            function = getattr(self.handle, name)
        except AttributeError:
            return self.missing
        function.restype = ctypes.c_int
        return int(function(*arguments))

    def file(self, loader: "ctypes.CDLL | None" = None) -> str:
        """Return the file behind a soname, links followed; empty where the loader does not say."""
        link_map = ctypes.POINTER(LinkMap)()
        try:
            code = (loader or ctypes.CDLL(None)).dlinfo(
                ctypes.c_void_p(self.handle._handle),  # noqa: SLF001 - what dlopen returned
                RTLD_DI_LINKMAP,
                ctypes.byref(link_map),
            )
        except (AttributeError, TypeError):
            return ""
        return os.path.realpath(os.fsdecode(link_map.contents.name or b"")) if code == 0 else ""


def detach_from_caller(descriptors: str = "/proc/self/fd") -> None:
    """Leave what came from the caller: its folder, and descriptors it did not mean to hand on."""
    os.chdir("/")
    try:
        opened = [int(name) for name in os.listdir(descriptors)]
    except OSError:
        opened = list(range(MAX_DESCRIPTORS))
    for descriptor in opened:
        if descriptor > 2:  # noqa: PLR2004 - standard error
            close(descriptor)


def close(descriptor: int) -> None:
    """Close a descriptor; the one that listed the others is closed already."""
    try:
        os.close(descriptor)
    except OSError:
        return


def limit_child() -> None:
    """Bound the child: no core file, few descriptors."""
    import resource

    # Linux reads 0 as "no file" and still hands the core to a program that collects them; it
    # reads 1, too small for any core, as "neither".
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    smallest = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (smallest, smallest))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > MAX_DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, hard))


def text_of(library: Library, name: str, *before: object) -> "tuple[int, str]":
    """Call a function that fills a text buffer."""
    buffer = ctypes.create_string_buffer(96)
    code = library.call(name, *before, buffer, ctypes.c_uint(len(buffer) - 1))
    return code, buffer.value.decode("utf-8", "replace")


def ask_nvml(library: Library, report: Reporter) -> None:
    """Report driver release, CUDA driver version and every GPU through NVML."""
    code = library.call("nvmlInit_v2")
    report.say("init", code)
    if code:
        report.say("file", library.file())
        return
    code, text = text_of(library, "nvmlSystemGetDriverVersion")
    report.say("driver", code, text)
    number = ctypes.c_int()
    code = library.call("nvmlSystemGetCudaDriverVersion_v2", ctypes.byref(number))
    if code == NVML_FUNCTION_NOT_FOUND:
        code = library.call("nvmlSystemGetCudaDriverVersion", ctypes.byref(number))
    report.say("cuda", code, number.value)
    count = ctypes.c_uint()
    code = library.call("nvmlDeviceGetCount_v2", ctypes.byref(count))
    report.say("count", code, count.value)
    for index in range(min(count.value, MAX_DEVICES) if code == 0 else 0):
        ask_nvml_device(library, report, index)


def ask_nvml_device(library: Library, report: Reporter, index: int) -> None:
    """Report one GPU; a lost one must not end the loop."""
    device = ctypes.c_void_p()
    code = library.call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
    report.say("gpu", index, code)
    if code:
        return
    major, minor = ctypes.c_int(), ctypes.c_int()
    code = library.call(
        "nvmlDeviceGetCudaComputeCapability", device, ctypes.byref(major), ctypes.byref(minor)
    )
    report.say("capability", index, code, major.value, minor.value)
    report.say("name", index, *text_of(library, "nvmlDeviceGetName", device))
    report.say("uuid", index, *text_of(library, "nvmlDeviceGetUUID", device))
    pci = PciInfo()
    code = library.call("nvmlDeviceGetPciInfo_v3", device, ctypes.byref(pci))
    report.say("pci", index, code, pci.bus_id.decode("ascii", "replace"))
    current, pending = ctypes.c_uint(), ctypes.c_uint()
    code = library.call(
        "nvmlDeviceGetMigMode", device, ctypes.byref(current), ctypes.byref(pending)
    )
    report.say("mig", index, code, current.value)
    memory = Memory()
    code = library.call("nvmlDeviceGetMemoryInfo", device, ctypes.byref(memory))
    report.say("memory", index, code, memory.total >> 20)


def ask_cuda(library: Library, report: Reporter) -> None:
    """Report the CUDA driver version and every device through the CUDA driver API."""
    number = ctypes.c_int()
    code = library.call("cuDriverGetVersion", ctypes.byref(number))
    report.say("cuda", code, number.value)
    code = library.call("cuInit", ctypes.c_uint(0))
    report.say("init", code)
    if code:
        report.say("file", library.file())
        return
    count = ctypes.c_int()
    code = library.call("cuDeviceGetCount", ctypes.byref(count))
    report.say("count", code, count.value)
    for index in range(min(count.value, MAX_DEVICES) if code == 0 else 0):
        ask_cuda_device(library, report, index)


def ask_cuda_device(library: Library, report: Reporter, index: int) -> None:
    """Report one CUDA device."""
    device = ctypes.c_int()
    code = library.call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(index))
    report.say("gpu", index, code)
    if code:
        return
    values = []
    for attribute in (CU_CAPABILITY_MAJOR, CU_CAPABILITY_MINOR, CU_INTEGRATED):
        value = ctypes.c_int()
        code = code or library.call(
            "cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(attribute), device
        )
        values.append(value.value)
    report.say("capability", index, code, *values[:2])
    report.say("integrated", index, code, values[2])
    name = ctypes.create_string_buffer(96)
    code = library.call("cuDeviceGetName", name, ctypes.c_int(len(name) - 1), device)
    report.say("name", index, code, name.value.decode("utf-8", "replace"))
    uuid = (ctypes.c_ubyte * 16)()
    code = library.call("cuDeviceGetUuid", ctypes.byref(uuid), device)
    report.say("uuid", index, code, bytes(uuid).hex())
    bus = ctypes.create_string_buffer(32)
    code = library.call("cuDeviceGetPCIBusId", bus, ctypes.c_int(len(bus) - 1), device)
    report.say("pci", index, code, bus.value.decode("ascii", "replace"))
    size = ctypes.c_size_t()
    code = library.call("cuDeviceTotalMem_v2", ctypes.byref(size), device)
    report.say("memory", index, code, size.value >> 20)


def ask_devices(library: Library, report: Reporter) -> None:
    """Report the NVIDIA devices that Windows has at this moment, and the problem of each."""
    flags, size = ctypes.c_ulong(PRESENT_OF_ENUMERATOR), ctypes.c_ulong()
    enumerator = ctypes.c_wchar_p(PCI_ENUMERATOR)
    code = library.call("CM_Get_Device_ID_List_SizeW", ctypes.byref(size), enumerator, flags)
    size.value = min(size.value, MAX_LIST)
    names = ctypes.create_unicode_buffer(size.value + 1)
    if not code:
        code = library.call("CM_Get_Device_ID_ListW", enumerator, names, size, flags)
    report.say("init", code)
    for index, name in enumerate(
        filter(is_nvidia, ctypes.wstring_at(names, size.value).split("\0"))
    ):
        report.say("device", index, name[17:21], problem_of(library, name))


def is_nvidia(name: str) -> bool:
    r"""Tell whether ``PCI\VEN_10DE&DEV_2684&SUBSYS_...`` is a device of this vendor."""
    return name.upper().startswith("PCI\\VEN_10DE&DEV_")


def problem_of(library: Library, name: str) -> int:
    """Return why Windows does not start a device, for example 22: disabled; 0 if it works."""
    node, status, problem = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
    code = library.call("CM_Locate_DevNodeW", ctypes.byref(node), ctypes.c_wchar_p(name), 0)
    code = code or library.call(
        "CM_Get_DevNode_Status", ctypes.byref(status), ctypes.byref(problem), node, 0
    )
    return problem.value if not code and status.value & HAS_PROBLEM else 0


def ask_to_open(report: Reporter, path: str) -> None:
    """Report why a device node does not open, and who may open it.

    The control node of the driver initialises no GPU; what the kernel says of opening it tells a
    device cgroup from permissions, which both libraries do not.
    """
    try:
        close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        code = 0
    except OSError as error:
        code = error.errno or 0
    report.say("errno", code)
    status = os.stat(path)
    report.say("node", oct(status.st_mode & 0o777), status.st_gid)
    report.say("end")


def ask_health(library: Library, report: Reporter) -> None:
    """Report what a person alone wants to know; its code lies in a file of its own."""
    import worker_health  # type: ignore[import-not-found]  # found in the folder of this file

    worker_health.ask(library, report)


QUESTIONS = {"nvml": ask_nvml, "cuda": ask_cuda, "devices": ask_devices, "health": ask_health}


def ask_library(report: Reporter, api: str, path: str) -> None:
    """Load the library, ask it, and say that the end was reached."""
    try:
        library = Library(path, CUDA_NOT_FOUND if api == "cuda" else NVML_FUNCTION_NOT_FOUND)
    except OSError as error:
        report.say("unloadable", error)
        return
    report.say("loaded", path)
    QUESTIONS[api](library, report)
    report.say("end")


def run_program(report: Reporter, path: str, arguments: "tuple[str, ...]") -> None:
    """Become a program whose standard output is the channel."""
    os.dup2(report.channel, 1)
    try:
        os.execv(path, (path, *arguments))  # noqa: S606 - a shell would be one more thing to trust
    except (OSError, ValueError) as error:
        os.write(1, f"{error}\n".encode("utf-8", "replace"))
    os._exit(CANNOT_START)


class Guard:
    """Watches over a forked process, and ends whatever it leaves behind, daemons included.

    Only for Linux, where a process can adopt the orphans below it.
    """

    def __init__(self) -> None:
        self.prctl = ctypes.CDLL(None).prctl
        self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.pid = os.fork()
        self.is_guarded = self.pid == 0

    def bind(self) -> None:
        """Have the guarded process, this one, end when its guard does."""
        self.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)

    def watch(self, limit: int = MAX_RESIDENT) -> int:
        """Wait for the process to end, or to be stopped, and return its exit code.

        Stopped: when it and all that it has started hold more than ``limit`` bytes or are more than
        64, or when standard input ends, which is how the parent says so and also what its death
        looks like.
        """
        import select

        poll, tick = select.poll(), 2
        poll.register(0, 0)
        try:
            poll.register(os.pidfd_open(self.pid), select.POLLIN)
            tick = 20
        except (AttributeError, OSError):
            pass  # A kernel before 5.3: look more often.
        while True:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else BY_SIGNAL - code
            events = poll.poll(tick)
            stopped = any(descriptor == 0 for descriptor, _ in events)
            if stopped or (not events and hoards(self.pid, limit)):
                return BY_SIGNAL + SIGKILL

    def end_all(self, tasks: str = "/proc/self/task") -> None:
        """Kill every process below this one; one that the kernel holds on to is left to it."""
        children_file = f"{tasks}/{os.getpid()}/children"
        for _ in range(100):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
                with open(children_file, encoding="ascii") as file:
                    children = [int(pid) for pid in file.read().split()]
            except ChildProcessError:
                return
            except OSError:
                children = [self.pid]
            for pid in children:
                kill(pid)
            time.sleep(0.001)


def kill(pid: int) -> None:
    """Kill a process; one that is gone or belongs to another user by now is left alone."""
    try:
        os.kill(pid, SIGKILL)
    except OSError:
        return


def hoards(pid: int, limit: int) -> bool:
    """Tell whether a process and all below this one are too many, or hold more than ``limit``.

    What forked processes share is in the resident memory of each; only where the sum of that is too
    much, the kernel is asked for each one's part, which it has to count.
    """
    pids = {pid, *descendants(os.getpid())}
    if len(pids) > MAX_PROCESSES:
        return True
    return sum(map(resident_bytes, pids)) > limit and sum(map(own_bytes, pids)) > limit


def descendants(pid: int) -> "list[int]":
    """Return the processes below another, hardly more than there may be, as the kernel says."""
    pids = [pid]
    for parent in pids:
        if len(pids) <= MAX_PROCESSES:
            pids += children_of(parent)
    return pids[1:]


def children_of(pid: int) -> "list[int]":
    """Return the children of a process, which are those of its threads."""
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children += map(int, file.read().split())
    except (OSError, ValueError):
        pass  # It has just ended, or this kernel lists none.
    return children


def own_bytes(pid: int) -> int:
    """Return the memory of a process with its part of what it shares; else all that it holds."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            kilobytes = [line.split()[1] for line in file if line.startswith("Pss:")]
            return int(kilobytes[0]) << 10
    except (OSError, ValueError, IndexError):
        return resident_bytes(pid)


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds, 0 where the kernel does not say."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read(256).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def guard_and_ask(api: str, token: str, path: str, *arguments: str) -> None:
    """Ask in a process of its own, end what it leaves behind, and end this process."""
    detach_from_caller()
    limit_child()
    # A caller that ignores it has its children vanish unseen; this one waits for its own.
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    report = Reporter(token)
    # In so short a life it would free nothing, and copy pages that the two processes share.
    gc.disable()
    ask_or_guard(Guard(), report, api, token, path, *arguments)


def ask_or_guard(guard: Guard, report: Reporter, *arguments: str) -> None:
    """Be the process that asks, or the guard that waits for it and ends all the rest."""
    if guard.is_guarded:
        guard.bind()
        os.dup2(report.nowhere, 0)
        ask(report, *arguments)
    code = guard.watch()
    guard.end_all()
    os._exit(code)


def ask(report: Reporter, api: str, _: str, path: str, *arguments: str) -> None:
    """Run the program or ask the library, and end the process."""
    try:
        if api == "program":
            run_program(report, path, arguments)
        if api == "open":
            ask_to_open(report, path)
            os._exit(0)
        ask_library(report, api, path)
        # The library's own clean-up at exit may hang or crash; everything has been said.
        os._exit(0)
    finally:
        os._exit(1)


def ask_alone(api: str, token: str, path: str, *arguments: str) -> None:
    """Ask in this process, where there can be no guard, and end it."""
    ask(Reporter(token), api, token, path, *arguments)


main = guard_and_ask if sys.platform == "linux" else ask_alone
