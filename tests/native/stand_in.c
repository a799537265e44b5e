/* A stand-in for one of NVIDIA's driver libraries: NVML (-DNVML) or the CUDA driver API (-DCUDA).
 *
 * What it answers comes from the text file "<its own path>.conf", or else from the environment
 * variable STAND_IN (newlines or semicolons between the lines). One word and its values a line:
 *
 *   init 0 | driver 580.65.06 | cuda 13000 | count 3       answers; count defaults to the gpu lines
 *   driver_code 9 | cuda_code 12 | count_code 999          status codes of those calls
 *   gpu 9.0 GPU-<uuid> 00000000:01:00.0 NVIDIA H100        one device; "-" leaves a text empty,
 *                                                          \xHH in the name is that byte
 *   lost 1 15 | capability_code 1 999                      device 1 answers with a code
 *   integrated 0                                           device 0 shares the host's memory
 *   mig 1                                                  device 1 has MIG switched on
 *   memory 0 81559                                         device 0 has so many MiB; else unknown
 *   cc 1 | ready 0                                         confidential computing; GPUs take work
 *   fabric 0 2 0 | mode 0 3 | rows 0 1 0                   state and error, compute mode, remapped
 *   stub                                                   every call answers 34
 *   log /folder/file                                       a line "<pid> <entry>" for each call
 *   at ENTRY FAULT [VALUE ...]                             misbehave when the entry is reached
 *
 * ENTRY is load, init, driver, cuda, count, gpu, capability, name, uuid, mig, pci, memory or unload; "gpu@1"
 * means device 1 only. FAULT is segfault, abort, exit N, signal N, stop, sleep S, pause MS, spin,
 * print stdout|stderr N, flood, scribble, flood-channel, hold MEGABYTES, hog
 * MEGABYTES, hog-forked MEGABYTES, breed N, fork, fork-setsid, orphan, close-fds or chdir. See misbehave() for each.
 *
 * Prototypes and struct layouts are those of nvml.h and cuda.h of CUDA 13.5.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(NVML) && !defined(CUDA)
#error "define NVML or CUDA"
#endif
#define MAX_GPUS 64
#define LINGER 20 /* seconds that forked processes stay, so that a test finds what is left */

struct device {
  unsigned int magic;
  int index, major, minor, lost, capability_code, integrated, mig, memory, fabric, fabric_error, mode, pending, failed;
  char uuid[64], bus[32], name[256];
};

static struct {
  int cc, ready, init, driver_code, cuda, cuda_code, count_code, stub, initialised, gpus;
  long long count;
  char driver[96], log[512];
  struct device gpu[MAX_GPUS];
  char text[65536];
} it;

static void read_text(void) {
  Dl_info info;
  char path[4096];
  if (dladdr((void *)read_text, &info) && info.dli_fname) {
    snprintf(path, sizeof path, "%s.conf", info.dli_fname);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
      ssize_t size = read(file, it.text, sizeof it.text - 1);
      it.text[size > 0 ? size : 0] = 0;
      close(file);
      return;
    }
  }
  const char *said = getenv("STAND_IN");
  snprintf(it.text, sizeof it.text, "%s", said ? said : "");
}

static void unescape(char *text) {
  char *to = text;
  for (; *text; text++) {
    unsigned int byte;
    if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
      *to++ = (char)byte;
      text += 3;
    } else {
      *to++ = *text;
    }
  }
  *to = 0;
}

static void add_gpu(const char *line) {
  struct device *gpu = &it.gpu[it.gpus];
  if (it.gpus == MAX_GPUS) return;
  gpu->magic = 0x10de10de;
  gpu->index = it.gpus++;
  sscanf(line, "gpu %d.%d %63s %31s %255[^\n;]", &gpu->major, &gpu->minor, gpu->uuid, gpu->bus, gpu->name);
  char *texts[] = {gpu->uuid, gpu->bus, gpu->name};
  for (int i = 0; i < 3; i++)
    if (!strcmp(texts[i], "-")) texts[i][0] = 0;
  unescape(gpu->name);
}

static void read_line(const char *line) {
  int index, code, other;
  sscanf(line, "init %d", &it.init);
  sscanf(line, "driver %95s", it.driver);
  sscanf(line, "driver_code %d", &it.driver_code);
  sscanf(line, "cuda %d", &it.cuda);
  sscanf(line, "cuda_code %d", &it.cuda_code);
  sscanf(line, "count %lld", &it.count);
  sscanf(line, "count_code %d", &it.count_code);
  sscanf(line, "log %511s", it.log);
  sscanf(line, "cc %d", &it.cc);
  sscanf(line, "ready %d", &it.ready);
  if (!strncmp(line, "gpu ", 4)) add_gpu(line);
  if (!strncmp(line, "stub", 4)) it.stub = 34;
  if (sscanf(line, "lost %d %d", &index, &code) == 2) it.gpu[index % MAX_GPUS].lost = code;
  if (sscanf(line, "capability_code %d %d", &index, &code) == 2)
    it.gpu[index % MAX_GPUS].capability_code = code;
  if (sscanf(line, "mig %d", &index) == 1) it.gpu[index % MAX_GPUS].mig = 1;
  if (sscanf(line, "fabric %d %d %d", &index, &code, &other) == 3)
    it.gpu[index % MAX_GPUS].fabric = code, it.gpu[index % MAX_GPUS].fabric_error = other;
  if (sscanf(line, "mode %d %d", &index, &code) == 2) it.gpu[index % MAX_GPUS].mode = code;
  if (sscanf(line, "rows %d %d %d", &index, &code, &other) == 3)
    it.gpu[index % MAX_GPUS].pending = code, it.gpu[index % MAX_GPUS].failed = other;
  int mebibytes;
  if (sscanf(line, "memory %d %d", &index, &mebibytes) == 2) it.gpu[index % MAX_GPUS].memory = mebibytes;
  if (sscanf(line, "integrated %d", &index) == 1) it.gpu[index % MAX_GPUS].integrated = 1;
}

static void linger(void) {
  for (int i = 0; i < LINGER; i++) sleep(1);
  _exit(0);
}

static void chatter(int file, long lines) {
  static const char text[] = "stand-in: a banner that no one asked for\n";
  for (long i = 0; i < lines; i++)
    if (write(file, text, sizeof text - 1) < 0) break;
}

static void note(const char *entry);

static void hold(long megabytes) {
  for (; megabytes > 0; megabytes--) {
    char *block = malloc(1 << 20);
    if (block) memset(block, 1, 1 << 20);
    note("holds a megabyte more");
  }
}

static void misbehave(const char *fault) {
  long number = 0;
  char stream[16] = "";
  sscanf(fault, "%*s %ld", &number);
  if (!strncmp(fault, "segfault", 8)) {
    *(volatile int *)8 = 1;
  } else if (!strncmp(fault, "abort", 5)) {
    abort();
  } else if (!strncmp(fault, "exit", 4)) {
    exit((int)number);
  } else if (!strncmp(fault, "signal", 6)) {
    raise((int)number);
  } else if (!strncmp(fault, "stop", 4)) {
    raise(SIGSTOP);
  } else if (!strncmp(fault, "sleep", 5)) {
    for (; number > 0; number--) sleep(1);
  } else if (!strncmp(fault, "pause", 5)) {
    usleep((useconds_t)number * 1000);
  } else if (!strncmp(fault, "spin", 4)) {
    for (;;) __asm__ volatile("");
  } else if (sscanf(fault, "print %15s %ld", stream, &number) == 2) {
    int file = strcmp(stream, "stdout") ? 2 : 1;
    chatter(file, number);
    /* Buffered output comes out at exit, when the file descriptor may be another one. */
    fprintf(file == 1 ? stdout : stderr, "stand-in: buffered\n");
  } else if (!strncmp(fault, "flood-channel", 13)) { /* endless output on every open descriptor */
    for (;;)
      for (int file = 3; file < 32; file++) chatter(file, 100);
  } else if (!strncmp(fault, "flood", 5)) { /* endless output where a program would print */
    for (;;) chatter(1, 100), chatter(2, 100);
  } else if (!strncmp(fault, "scribble", 8)) { /* lines of its own on every open descriptor */
    for (int file = 3; file < 64; file++)
      dprintf(file,
              "\nend\n0123456789abcdef\tcuda\t0\t14000\ncuda\t0\t14000\n\tcuda\t0\t14000\n"
              "0123456789abcdef\tcapability\t0\t0\t12\t0\n0123456789abcdef\tend\n");
  } else if (!strncmp(fault, "hog-forked", 10)) { /* the same, shared out among three below it */
    for (int i = 0; i < 3; i++)
      if (!fork()) {
        if (!fork()) hold(number / 3);
        linger();
      }
    linger();
  } else if (!strncmp(fault, "hold", 4)) { /* touch so many megabytes, keep them and go on */
    hold(number);
  } else if (!strncmp(fault, "breed", 5)) { /* so many processes that only wait */
    for (; number > 0; number--)
      if (!fork()) linger();
    linger();
  } else if (!strncmp(fault, "hog", 3)) { /* touch so many megabytes and keep them */
    hold(number);
    linger();
  } else if (!strncmp(fault, "fork-setsid", 11)) { /* a daemon, in a session of its own */
    if (!fork()) {
      setsid();
      if (!fork()) linger();
      _exit(0);
    }
  } else if (!strncmp(fault, "fork", 4)) { /* a child that holds every descriptor open */
    if (!fork()) linger();
  } else if (!strncmp(fault, "orphan", 6)) { /* goes on in a child; the process itself ends */
    if (!fork()) linger();
    _exit(0);
  } else if (!strncmp(fault, "close-fds", 9)) {
    for (int file = 0; file < 256; file++) close(file);
  } else if (!strncmp(fault, "chdir", 5)) {
    if (chdir("/tmp")) _exit(9);
  }
}

static void note(const char *entry) {
  if (!it.log[0]) return;
  int file = open(it.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file >= 0) dprintf(file, "%d %s\n", (int)getpid(), entry), close(file);
}

static void reached(const char *entry, int index) {
  char name[48];
  note(entry);
  for (const char *line = it.text; line; line = strpbrk(line, "\n;")) {
    line += strspn(line, "\n; ");
    int used = 0, at = -1;
    if (sscanf(line, "at %47s %n", name, &used) != 1 || !used) continue;
    char *only = strchr(name, '@');
    if (only) *only = 0, at = atoi(only + 1);
    if (!strcmp(name, entry) && (at < 0 || at == index)) misbehave(line + used);
  }
}

__attribute__((constructor)) static void loaded(void) {
  it.count = -1;
  read_text();
  for (char *line = it.text; line; line = strpbrk(line, "\n;")) {
    line += strspn(line, "\n; ");
    read_line(line);
    if (!*line) break;
  }
  if (it.count < 0) it.count = it.gpus;
  reached("load", -1);
}

__attribute__((destructor)) static void unloaded(void) { reached("unload", -1); }

static struct device *device_at(int index) {
  return index >= 0 && index < it.gpus ? &it.gpu[index] : NULL;
}

#ifdef NVML
typedef struct device *nvmlDevice_t;
typedef struct {
  char busIdLegacy[16];
  unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;
_Static_assert(sizeof(nvmlPciInfo_t) == 68, "nvml.h says 68 bytes");

static int put(const char *text, char *to, unsigned int length) {
  if (strlen(text) + 1 > length) return 7; /* INSUFFICIENT_SIZE */
  strcpy(to, text);
  return 0;
}

/* A truncated or forged handle does not hold the magic number, or is no address at all. */
#define READY(entry)                     \
  reached(entry, -1);                    \
  if (it.stub) return it.stub;           \
  if (!it.initialised) return 1;
#define READY_DEVICE(entry, gpu)                              \
  reached(entry, gpu ? gpu->index : -1);                      \
  if (!it.initialised) return 1;                              \
  if (!gpu || gpu->magic != 0x10de10de) return 2;

int nvmlInit_v2(void) {
  reached("init", -1);
  if (it.stub) return it.stub;
  it.initialised = it.init == 0;
  return it.init;
}
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
  READY("driver");
  return it.driver_code ? it.driver_code : put(it.driver, version, length);
}
static int cuda_version(int *version) {
  READY("cuda");
  *version = it.cuda;
  return it.cuda_code;
}
int nvmlSystemGetCudaDriverVersion(int *version) { return cuda_version(version); }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { return cuda_version(version); }
int nvmlDeviceGetCount_v2(unsigned int *count) {
  READY("count");
  *count = (unsigned int)it.count;
  return it.count_code;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  reached("gpu", (int)index);
  if (!it.initialised) return 1;
  *device = device_at((int)index);
  return *device ? (*device)->lost : 2;
}
int nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor) {
  READY_DEVICE("capability", device);
  *major = device->major;
  *minor = device->minor;
  return device->capability_code;
}
int nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
  READY_DEVICE("name", device);
  return put(device->name, name, length);
}
int nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
  READY_DEVICE("uuid", device);
  return device->uuid[0] ? put(device->uuid, uuid, length) : 3;
}
int nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
  READY_DEVICE("mig", device);
  *current = *pending = (unsigned int)device->mig;
  return 0;
}
typedef struct {
  unsigned long long total, free, used;
} nvmlMemory_t;
_Static_assert(sizeof(nvmlMemory_t) == 24, "nvml.h says 24 bytes");

int nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  READY_DEVICE("memory", device);
  if (!device->memory) return 3;
  memory->total = (unsigned long long)device->memory << 20;
  return 0;
}
typedef struct {
  unsigned int environment, ccFeature, devToolsMode;
} nvmlConfComputeSystemState_t;
_Static_assert(sizeof(nvmlConfComputeSystemState_t) == 12, "nvml.h says 12 bytes");
typedef struct {
  unsigned char clusterUuid[16];
  int status;
  unsigned int cliqueId;
  unsigned char state;
} nvmlGpuFabricInfo_t;
_Static_assert(sizeof(nvmlGpuFabricInfo_t) == 28, "nvml.h says 28 bytes");

int nvmlSystemGetConfComputeState(nvmlConfComputeSystemState_t *state) {
  READY("cc");
  *state = (nvmlConfComputeSystemState_t){2, (unsigned int)it.cc, 0};
  return 0;
}
int nvmlSystemGetConfComputeGpusReadyState(unsigned int *accepting) {
  READY("ready");
  *accepting = (unsigned int)it.ready;
  return it.cc ? 0 : 3;
}
int nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, nvmlGpuFabricInfo_t *info) {
  READY_DEVICE("fabric", device);
  memset(info, 255, sizeof *info);
  info->status = device->fabric_error;
  info->state = (unsigned char)device->fabric;
  return 0;
}
int nvmlDeviceGetComputeMode(nvmlDevice_t device, int *mode) {
  READY_DEVICE("mode", device);
  *mode = device->mode;
  return 0;
}
int nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned int *corrected, unsigned int *uncorrected,
                              unsigned int *pending, unsigned int *failed) {
  READY_DEVICE("rows", device);
  *corrected = 5, *uncorrected = 6;
  *pending = (unsigned int)device->pending;
  *failed = (unsigned int)device->failed;
  return 0;
}
int nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  READY_DEVICE("pci", device);
  memset(pci, 0, sizeof *pci);
  if (!device->bus[0]) return 3;
  snprintf(pci->busId, sizeof pci->busId, "%s", device->bus);
  return 0;
}
#endif

#ifdef CUDA
typedef struct {
  char bytes[16];
} CUuuid;
_Static_assert(sizeof(CUuuid) == 16, "cuda.h says 16 bytes");

#define READY(entry)           \
  reached(entry, -1);          \
  if (it.stub) return it.stub; \
  if (!it.initialised) return 3;
#define READY_DEVICE(entry, index)             \
  reached(entry, index);                       \
  if (!it.initialised) return 3;               \
  struct device *gpu = device_at(index);       \
  if (!gpu) return 101;

int cuDriverGetVersion(int *version) {
  reached("cuda", -1);
  if (it.stub) return it.stub;
  *version = it.cuda;
  return it.cuda_code;
}
int cuInit(unsigned int flags) {
  reached("init", -1);
  if (it.stub) return it.stub;
  if (flags) return 1;
  it.initialised = it.init == 0;
  return it.init;
}
int cuDeviceGetCount(int *count) {
  READY("count");
  *count = (int)it.count;
  return it.count_code;
}
int cuDeviceGet(int *device, int ordinal) {
  READY_DEVICE("gpu", ordinal);
  *device = ordinal;
  return gpu->lost;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  READY_DEVICE("capability", device);
  if (attribute == 75) *value = gpu->major;
  else if (attribute == 76) *value = gpu->minor;
  else if (attribute == 18) *value = gpu->integrated;
  else return 1;
  return gpu->capability_code;
}
int cuDeviceGetName(char *name, int length, int device) {
  READY_DEVICE("name", device);
  snprintf(name, (size_t)length, "%s", gpu->name);
  return 0;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  READY_DEVICE("memory", device);
  if (!gpu->memory) return 801;
  *bytes = (size_t)gpu->memory << 20;
  return 0;
}
int cuDeviceGetUuid(CUuuid *uuid, int device) {
  READY_DEVICE("uuid", device);
  memset(uuid, 0, sizeof *uuid);
  const char *text = gpu->uuid;
  if (!strncmp(text, "GPU-", 4)) text += 4;
  for (int i = 0; i < 16; i++) {
    unsigned int byte = 0;
    while (*text == '-') text++;
    if (sscanf(text, "%2x", &byte) != 1) break;
    uuid->bytes[i] = (char)byte;
    text += 2;
  }
  return 0;
}
int cuDeviceGetPCIBusId(char *id, int length, int device) {
  READY_DEVICE("pci", device);
  if (!gpu->bus[0]) return 1;
  /* "0000:01:00.0" where NVML says "00000000:01:00.0" */
  const char *text = strchr(gpu->bus, ':') == gpu->bus + 8 ? gpu->bus + 4 : gpu->bus;
  snprintf(id, (size_t)length, "%s", text);
  return 0;
}
#endif
