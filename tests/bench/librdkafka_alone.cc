// Sends the messages that outboxd would send for the benchmark's rows, with the same settings of
// librdkafka and nothing else: the bound that catch_up.py measures outboxd against.
//
//   librdkafka_alone BOOTSTRAP_SERVERS TOPIC COUNT PAYLOAD_BYTES
#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

// The RD_KAFKA_V_ macros of librdkafka cast in C's way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace {

std::atomic<long> delivered = 0;

void Count(rd_kafka_queue_t* queue) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 100);
  if (event == nullptr) return;
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
    delivered += static_cast<long>(rd_kafka_event_message_count(event));
  }
  rd_kafka_event_destroy(event);
}

void Set(rd_kafka_conf_t* configuration, const char* name, const char* value) {
  char reason[512];
  if (rd_kafka_conf_set(configuration, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
    fmt::print(stderr, "{}: {}\n", name, reason);
    std::exit(78);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  const long count = std::atol(argv[3]);
  const std::string payload(static_cast<std::size_t>(std::atol(argv[4])), 'x');
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  Set(configuration, "bootstrap.servers", argv[1]);
  Set(configuration, "enable.idempotence", "true");
  Set(configuration, "compression.codec", "lz4");
  Set(configuration, "linger.ms", "0");
  Set(configuration, "partitioner", "murmur2_random");
  Set(configuration, "queue.buffering.max.kbytes", "32768");
  rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  char reason[512];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, reason, sizeof reason);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_main(producer);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argv[2], nullptr);
  {
    const std::jthread counter([&](const std::stop_token& stop) {
      while (!stop.stop_requested() || delivered < count) Count(queue);
    });
    for (long i = 0; i < count; ++i) {
      const std::string key = fmt::format("key-{}", i % 1000);
      const std::string id = fmt::format("{:08}-0000-0000-0000-000000000000", i);
      while (true) {
        rd_kafka_headers_t* headers = rd_kafka_headers_new(3);
        rd_kafka_header_add(headers, "id", -1, id.data(), static_cast<ssize_t>(id.size()));
        rd_kafka_header_add(headers, "outboxd.table", -1, "bench.outbox", -1);
        rd_kafka_header_add(headers, "outboxd.position", -1,
                            "00000000-0000-0000-0000-000000000000:123456:12", -1);
        const auto error = rd_kafka_producev(
            producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key.data(), key.size()),
            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        rd_kafka_headers_destroy(headers);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    }
  }
  rd_kafka_topic_destroy(topic);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(producer);
  return 0;
}
