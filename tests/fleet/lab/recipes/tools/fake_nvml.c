/* A stand-in for NVIDIA's management library: it tells of the cards that /etc/fake-nvml lists, and touches no device.
 *
 * A line is a card: MODEL MEMORY_MIB USED_MIB UTILISATION_% TEMPERATURE_C, where `_` in the model is shown as a space.
 * A line `error N` makes the library refuse with that code. Without the file it refuses with 9: no driver loaded.
 * The file is read anew by each question, so a test can change a card while it is looked at. */
#include <stdio.h>
#include <string.h>

enum { OK = 0, UNINITIALISED = 1, INVALID = 2, NOT_LOADED = 9, CARDS = 16, LINE = 256 };

struct card { char model[96]; unsigned long long total, used; unsigned busy, heat; };
struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };
struct utilisation { unsigned gpu, memory; };

static struct card cards[CARDS];
static unsigned count;
static int ready;

static int look(void) {
  FILE *file = fopen("/etc/fake-nvml", "r");
  char line[LINE];
  int refusal = OK;
  count = 0;
  if (!file) return NOT_LOADED;
  while (fgets(line, sizeof line, file) && count < CARDS) {
    struct card *one = &cards[count];
    if (sscanf(line, "error %d", &refusal) == 1) break;
    if (sscanf(line, "%95s %llu %llu %u %u", one->model, &one->total, &one->used, &one->busy, &one->heat) != 5) continue;
    for (char *at = one->model; *at; at++) *at = *at == '_' ? ' ' : *at;
    count++;
  }
  fclose(file);
  return refusal;
}

/* A handle is the card's index plus one, so that none is NULL. */
static struct card *card(void *handle) {
  size_t index = (size_t)handle - 1;
  return ready && !look() && index < count ? &cards[index] : NULL;
}

static int words(char *into, unsigned room, const char *text) {
  snprintf(into, room, "%s", text);
  return OK;
}

int nvmlInit_v2(void) {
  int refusal = look();
  ready = !refusal;
  return refusal;
}
int nvmlInitWithFlags(unsigned flags) { return flags ? INVALID : nvmlInit_v2(); }
int nvmlShutdown(void) {
  int was = ready;
  ready = 0;
  return was ? OK : UNINITIALISED;
}
const char *nvmlErrorString(int code) { return code == NOT_LOADED ? "Driver Not Loaded" : code ? "Error" : "Success"; }
int nvmlSystemGetDriverVersion(char *into, unsigned room) { return ready ? words(into, room, "550.0") : UNINITIALISED; }
int nvmlSystemGetNVMLVersion(char *into, unsigned room) { return ready ? words(into, room, "12.550.0") : UNINITIALISED; }

int nvmlDeviceGetCount_v2(unsigned *into) {
  if (!ready) return UNINITIALISED;
  *into = look() ? 0 : count;
  return OK;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **into) {
  *into = (void *)(size_t)(index + 1);
  return !ready ? UNINITIALISED : card(*into) ? OK : INVALID;
}
int nvmlDeviceGetIndex(void *handle, unsigned *into) {
  *into = (unsigned)((size_t)handle - 1);
  return card(handle) ? OK : INVALID;
}
int nvmlDeviceGetName(void *handle, char *into, unsigned room) {
  struct card *one = card(handle);
  return one ? words(into, room, one->model) : INVALID;
}
int nvmlDeviceGetUUID(void *handle, char *into, unsigned room) {
  char text[64];
  snprintf(text, sizeof text, "GPU-00000000-0000-0000-0000-%012zu", (size_t)handle - 1);
  return card(handle) ? words(into, room, text) : INVALID;
}
int nvmlDeviceGetMemoryInfo(void *handle, struct memory *into) {
  struct card *one = card(handle);
  if (!one) return INVALID;
  *into = (struct memory){one->total << 20, (one->total - one->used) << 20, one->used << 20};
  return OK;
}
int nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *into) {
  struct card *one = card(handle);
  if (!one) return INVALID;
  *into = (struct memory_v2){into->version, one->total << 20, 0, (one->total - one->used) << 20, one->used << 20};
  return OK;
}
int nvmlDeviceGetUtilizationRates(void *handle, struct utilisation *into) {
  struct card *one = card(handle);
  if (!one) return INVALID;
  *into = (struct utilisation){one->busy, one->busy / 2};
  return OK;
}
int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *into) {
  struct card *one = card(handle);
  if (!one || sensor) return INVALID;
  *into = one->heat;
  return OK;
}
int nvmlDeviceGetPowerUsage(void *handle, unsigned *into) {
  struct card *one = card(handle);
  if (!one) return INVALID;
  *into = 50000 + one->busy * 2000;
  return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *number, void *into) {
  (void)into;
  *number = 0;
  return card(handle) ? OK : INVALID;
}
