/* A plugin for Mosquitto 2 that asks over HTTP as mosquitto-go-auth does in its mode "json" with answers by status:
 * CONNECT: /user. Everything else: /superuser, and if that says no, /acl with acc 1 (deliver), 2 (publish), 4 (subscribe).
 * Options: plugin_opt_base (http://127.0.0.1:3002/mosquitto-auth), plugin_opt_query (?secret=..., or nothing), and
 * plugin_opt_own: who may do everything without being asked about, once he is in, as accounts of go-auth's files may.
 * plugin_opt_remember: for how many seconds a yes to an action counts (go-auth: acl_cache_seconds); else nothing is
 * remembered between two questions. For tests: it holds the broker up while it asks. */
#include <curl/curl.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static mosquitto_plugin_id_t *self;
static CURL *http;
static struct curl_slist *headers;
static char base[512], query[512], own[128];
static long remember;

/* What was allowed last, in places by a hash: two that share one push each other out. */
#define PLACES 4096
static struct { char action[512]; time_t until; } allowed[PLACES];

static size_t ignored(char *data, size_t size, size_t count, void *unused) {
    (void)data, (void)unused;
    return size * count;
}

static char *appended(char *at, const char *end, const char *text) {
    while (*text && at < end) *at++ = *text++;
    return at;
}

/* "name":"value", escaped as JSON wants it (RFC 8259, section 7) */
static char *member(char *at, const char *end, const char *name, const char *value) {
    at = appended(at, end, at[-1] == '{' ? "\"" : ",\"");
    at = appended(at, end, name);
    at = appended(at, end, "\":\"");
    for (const unsigned char *c = (const unsigned char *)(value ? value : ""); *c && at + 7 < end; c++) {
        if (*c == '"' || *c == '\\' || *c < 0x20)
            at += sprintf(at, "\\u%04x", *c);
        else
            *at++ = (char)*c;
    }
    return appended(at, end, "\"");
}

/* The HTTP status, or 0 when nobody answered. */
static long asked(const char *question, const char *body) {
    char url[1100];
    long status = 0;
    snprintf(url, sizeof url, "%s/%s%s", base, question, query);
    curl_easy_setopt(http, CURLOPT_URL, url);
    curl_easy_setopt(http, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(http) == CURLE_OK) curl_easy_getinfo(http, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static int is_yes(long status) { return status >= 200 && status < 300; }

/* The place of an action, and its name; -1 when it is not remembered. */
static int place_of(char name[512], const char *client, const char *topic, int access) {
    unsigned hash = 5381;
    if (!remember || snprintf(name, 512, "%d %s %s", access, client, topic) >= 512) return -1;
    for (const char *c = name; *c; c++) hash = hash * 33 + (unsigned char)*c;
    return (int)(hash % PLACES);
}

static int on_login(int event, void *data, void *unused) {
    struct mosquitto_evt_basic_auth *login = data;
    char body[140000] = "{", *at = body + 1, *end = body + sizeof body - 16;
    (void)event, (void)unused;
    if (!login->username) return MOSQ_ERR_AUTH;
    at = member(at, end, "username", login->username);
    at = member(at, end, "password", login->password);
    at = member(at, end, "clientid", mosquitto_client_id(login->client));
    strcpy(at, "}");
    return is_yes(asked("user", body)) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

static int on_action(int event, void *data, void *unused) {
    struct mosquitto_evt_acl_check *action = data;
    const char *username = mosquitto_client_username(action->client);
    char body[140000] = "{", *at = body + 1, *end = body + sizeof body - 32;
    (void)event, (void)unused;
    if (action->access != MOSQ_ACL_READ && action->access != MOSQ_ACL_WRITE && action->access != MOSQ_ACL_SUBSCRIBE)
        return MOSQ_ERR_SUCCESS; /* unsubscribing is never asked about */
    if (*own && username && !strcmp(username, own)) return MOSQ_ERR_SUCCESS;
    char name[512];
    int place = place_of(name, mosquitto_client_id(action->client), action->topic, action->access);
    if (place >= 0 && allowed[place].until > time(NULL) && !strcmp(allowed[place].action, name)) return MOSQ_ERR_SUCCESS;
    at = member(at, end, "username", username);
    strcpy(at, "}");
    if (is_yes(asked("superuser", body))) return MOSQ_ERR_SUCCESS;
    at = member(at, end, "clientid", mosquitto_client_id(action->client));
    at = member(at, end, "topic", action->topic);
    sprintf(at, ",\"acc\":%d}", action->access);
    if (!is_yes(asked("acl", body))) return MOSQ_ERR_ACL_DENIED;
    if (place >= 0) {
        strcpy(allowed[place].action, name);
        allowed[place].until = time(NULL) + remember;
    }
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_version(int count, const int *versions) {
    for (int i = 0; i < count; i++)
        if (versions[i] == 5) return 5;
    return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **data, struct mosquitto_opt *options, int count) {
    (void)data;
    self = id;
    for (int i = 0; i < count; i++) {
        if (!strcmp(options[i].key, "base")) snprintf(base, sizeof base, "%s", options[i].value);
        if (!strcmp(options[i].key, "own")) snprintf(own, sizeof own, "%s", options[i].value);
        if (!strcmp(options[i].key, "remember")) remember = atol(options[i].value);
        if (!strcmp(options[i].key, "query")) snprintf(query, sizeof query, "%s", options[i].value);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    http = curl_easy_init();
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(http, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http, CURLOPT_WRITEFUNCTION, ignored);
    curl_easy_setopt(http, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(http, CURLOPT_NOSIGNAL, 1L);
    mosquitto_callback_register(self, MOSQ_EVT_BASIC_AUTH, on_login, NULL, NULL);
    return mosquitto_callback_register(self, MOSQ_EVT_ACL_CHECK, on_action, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count) {
    (void)data, (void)options, (void)count;
    mosquitto_callback_unregister(self, MOSQ_EVT_BASIC_AUTH, on_login, NULL);
    mosquitto_callback_unregister(self, MOSQ_EVT_ACL_CHECK, on_action, NULL);
    curl_slist_free_all(headers);
    curl_easy_cleanup(http);
    return MOSQ_ERR_SUCCESS;
}
