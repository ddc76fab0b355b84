package castiron;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Debezium's router can put a column of the outbox into one header, and the outbox keeps all headers of an event in one
 * column, as a JSON object. This makes them headers of their own, which is what a reader of the topic expects; the
 * router's own are dropped, but for the sequence.
 */
public final class HeadersOfColumn<R extends ConnectRecord<R>> implements Transformation<R> {
  private static final JsonFactory JSON = new JsonFactory();
  private static final String COLUMN = "headers";
  private static final String SEQUENCE = "ce_sequence";

  @Override
  public R apply(R record) {
    Header column = record.headers().lastWithName(COLUMN);
    Header sequence = record.headers().lastWithName(SEQUENCE);
    if (column == null || sequence == null) {
      throw new IllegalArgumentException("no row of the outbox: the headers " + COLUMN + " and " + SEQUENCE + " are missing");
    }
    ConnectHeaders headers = new ConnectHeaders();
    try (JsonParser json = JSON.createParser((String) column.value())) {
      if (json.nextToken() != JsonToken.START_OBJECT) throw new IllegalArgumentException("headers are no JSON object");
      while (json.nextToken() == JsonToken.FIELD_NAME) headers.addString(json.currentName(), json.nextTextValue());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    headers.addString(SEQUENCE, sequence.value().toString());
    return record.newRecord(
        record.topic(), record.kafkaPartition(), record.keySchema(), record.key(), record.valueSchema(), record.value(),
        record.timestamp(), headers);
  }

  @Override
  public ConfigDef config() {
    return new ConfigDef();
  }

  @Override
  public void configure(Map<String, ?> settings) {}

  @Override
  public void close() {}
}
