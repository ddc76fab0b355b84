import { ApiProperty } from '@nestjs/swagger';
import { IsLine, IsText } from '@castiron/service';

/** A mailing to everybody who may be mailed. */
export class MailingDto {
  @ApiProperty({ maxLength: 200, description: 'One line.' })
  @IsLine(200)
  subject!: string;

  @ApiProperty({ maxLength: 20_000, description: 'Plain text.' })
  @IsText(20_000)
  text!: string;
}
