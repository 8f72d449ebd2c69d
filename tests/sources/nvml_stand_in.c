/* A stand-in for libnvidia-ml.so.1, with the functions that nvidia-ml-py calls for us.
 *
 * Each figure of a GPU is a file `$NVML_STAND_IN/<gpu>.<figure>`: a number, or `!N` for NVML's error N. A file that is
 * missing is a figure that the device does not support. As with the real library, a device that was lost stays lost
 * until everybody who initialised the library has shut it down, and handles do not outlive that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15 };
enum { MOST = 8 };

typedef struct { unsigned number; int generation; int lost; } Device;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory_v2;
typedef struct { unsigned version, sensor; int temperature; } Temperature;

static int users, generation;
static Device devices[MOST];

static int text_of(const char *name, char *text, int size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("NVML_STAND_IN"), name);
    FILE *file = fopen(path, "r");
    if (!file) return NOT_SUPPORTED;
    int found = fgets(text, size, file) != NULL;
    fclose(file);
    if (!found) return NOT_SUPPORTED;
    text[strcspn(text, "\n")] = 0;
    return text[0] == '!' ? atoi(text + 1) : SUCCESS;
}

static int text(Device *device, const char *figure, char *found, int size) {
    char name[256];
    if (!users || device->generation != generation) return UNINITIALIZED;
    if (device->lost) return GPU_IS_LOST;
    snprintf(name, sizeof name, "%u.%s", device->number, figure);
    int result = text_of(name, found, size);
    if (result == GPU_IS_LOST) device->lost = 1;
    return result;
}

static int number(Device *device, const char *figure, unsigned long long *value) {
    char found[64];
    int result = text(device, figure, found, sizeof found);
    if (result == SUCCESS) *value = strtoull(found, NULL, 10);
    return result;
}

static int narrow(Device *device, const char *figure, unsigned *value) {
    unsigned long long wide = 0;
    int result = number(device, figure, &wide);
    if (result == SUCCESS) *value = (unsigned)wide;
    return result;
}

static int string(Device *device, const char *figure, char *value, unsigned length) {
    char found[256];
    int result = text(device, figure, found, sizeof found);
    if (result != SUCCESS) return result;
    if (strlen(found) >= length) return INSUFFICIENT_SIZE;
    strcpy(value, found);
    return SUCCESS;
}

int nvmlInitWithFlags(unsigned flags) {
    char found[64];
    (void)flags;
    int result = text_of("init", found, sizeof found);
    if (result != SUCCESS && result != NOT_SUPPORTED) return result;
    if (!users++) {
        generation++;
        for (unsigned i = 0; i < MOST; i++) devices[i] = (Device){i, generation, 0};
    }
    return SUCCESS;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return users ? (users--, SUCCESS) : UNINITIALIZED; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "an error"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    char found[64];
    if (!users) return UNINITIALIZED;
    int result = text_of("count", found, sizeof found);
    if (result == SUCCESS) *count = (unsigned)atoi(found);
    return result;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    char found[64];
    if (!users) return UNINITIALIZED;
    if (index >= MOST) return INVALID_ARGUMENT;
    *device = &devices[index];
    int result = text(*device, "handle", found, sizeof found);
    return result == NOT_SUPPORTED ? SUCCESS : result;
}
int nvmlDeviceGetName(Device *device, char *name, unsigned length) { return string(device, "name", name, length); }
int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned length) { return string(device, "uuid", uuid, length); }
int nvmlDeviceGetUtilizationRates(Device *device, Utilization *found) {
    int result = narrow(device, "gpu_percent", &found->gpu);
    return result ? result : narrow(device, "memory_percent", &found->memory);
}
int nvmlDeviceGetMemoryInfo_v2(Device *device, Memory_v2 *found) {
    char gate[64];
    int result = text(device, "memory_v2", gate, sizeof gate);
    if (result) return result;
    if (found->version != (sizeof *found | 2 << 24)) return INVALID_ARGUMENT;
    if ((result = number(device, "total", &found->total))) return result;
    if ((result = number(device, "reserved", &found->reserved))) return result;
    if ((result = number(device, "free", &found->free))) return result;
    found->used = found->total - found->free - found->reserved;
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(Device *device, Memory *found) {
    int result = number(device, "total", &found->total);
    if (result || (result = number(device, "free", &found->free))) return result;
    found->used = found->total - found->free;
    return SUCCESS;
}
int nvmlDeviceGetTemperature(Device *device, unsigned sensor, unsigned *celsius) {
    return sensor ? INVALID_ARGUMENT : narrow(device, "celsius", celsius);
}
int nvmlDeviceGetTemperatureV(Device *device, Temperature *found) {
    unsigned celsius = 0;
    if (found->version != (sizeof *found | 1 << 24) || found->sensor) return INVALID_ARGUMENT;
    int result = narrow(device, "celsius_v", &celsius);
    found->temperature = (int)celsius;
    return result;
}
int nvmlDeviceGetPowerUsage(Device *device, unsigned *mw) { return narrow(device, "power_mw", mw); }
int nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *mw) { return narrow(device, "limit_mw", mw); }
int nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *mj) { return number(device, "energy_mj", mj); }
int nvmlDeviceGetClockInfo(Device *device, unsigned clock, unsigned *mhz) {
    return clock == 1 ? narrow(device, "sm_mhz", mhz) : clock == 2 ? narrow(device, "mem_mhz", mhz) : INVALID_ARGUMENT;
}
